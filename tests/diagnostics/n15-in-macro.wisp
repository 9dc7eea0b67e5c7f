; options:; status: 1
(macro m (law (m e x) ((Pin 15) 5)))
(def y (m 1))
