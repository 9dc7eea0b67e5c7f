; options:; status: 0
1 "never closed
