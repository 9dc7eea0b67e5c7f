; options:; status: 1
[1 2]
