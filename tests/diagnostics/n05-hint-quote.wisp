; options:; status: 1
('x 1)
