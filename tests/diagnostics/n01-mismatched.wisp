; options:; status: 3
1 (2 3]
