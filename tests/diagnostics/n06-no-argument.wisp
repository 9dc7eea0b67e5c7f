; options:; status: 1
(def f (law (f) 3))
