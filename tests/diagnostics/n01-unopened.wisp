; options:; status: 3
(def x 1)
  x )
