; options:; status: 1
(macro m (law (m e x) 0))
(m 1)
