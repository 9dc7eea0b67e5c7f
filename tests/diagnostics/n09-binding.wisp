; options:; status: 1
(law (f x)
  (let y x)
  y)
