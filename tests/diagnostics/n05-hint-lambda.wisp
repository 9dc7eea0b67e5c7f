; options:; status: 1
(lambda (f x) x)
