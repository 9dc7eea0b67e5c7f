; options:; status: 3
(def f (law (f x) x)
