; options:; status: 1
(def x)
