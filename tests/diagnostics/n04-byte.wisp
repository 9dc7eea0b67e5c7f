; options:; status: 3
(def x )
