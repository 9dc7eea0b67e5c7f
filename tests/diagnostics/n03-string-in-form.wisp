; options:; status: 3
(def x "never closed)
(def y 2)
