; options:; status: 1
((Pin Pin) 4)
