; options:; status: 1
(macro m (law (m e x) (0 e (0 Pin "two words"))))
(Pin (m))
