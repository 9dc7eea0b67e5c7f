; options:; status: 1
(def 3 4)
