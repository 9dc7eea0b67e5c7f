; options:; status: 1
(let ((x 1)) x)
