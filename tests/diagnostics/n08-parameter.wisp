; options:; status: 1
(law (f 3 x) x)
