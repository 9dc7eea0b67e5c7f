; options: -W; status: 0
(macro m (law (m e x) (0 e (1 9))))
(law (f x _ _ m)
  (@ x 3)
  (m x))
