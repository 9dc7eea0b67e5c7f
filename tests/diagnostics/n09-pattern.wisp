; options:; status: 1
(law (f x) (@ [a b] x) a)
