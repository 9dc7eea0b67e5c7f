; options:; status: 1
(law)
