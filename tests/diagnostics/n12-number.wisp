; options:; status: 1
(macro m 5)
(m 1)
