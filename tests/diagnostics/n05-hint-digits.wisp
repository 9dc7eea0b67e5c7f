; options:; status: 1
(Pin 12a)
