; options:; status: 1
(def f (law (f x) x))
(macro m f f)
