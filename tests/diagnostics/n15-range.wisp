; options:; status: 1
(def prim (Pin 15))
(prim (35 1))
