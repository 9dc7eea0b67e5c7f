; options:; status: 1
(macro m (law (m e x) (0 5 (1 6))))
(def x (m 1))
