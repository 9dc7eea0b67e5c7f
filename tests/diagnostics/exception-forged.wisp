; options:; status: 1
((Pin 17) (0 "limit" "Add" (0 1)))
