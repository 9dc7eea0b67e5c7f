; options:; status: 1
((Pin 17) (0 1 "text"))
