; options:; status: 1
((law (f x) (@ y y) y) 1)
