; options:; status: 1
(= x 3)
