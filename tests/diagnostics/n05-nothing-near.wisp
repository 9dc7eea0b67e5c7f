; options:; status: 1
(law (f x) zzzzzz)
