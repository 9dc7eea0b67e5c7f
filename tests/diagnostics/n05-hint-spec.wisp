; options:; status: 1
(DEF x 3)
