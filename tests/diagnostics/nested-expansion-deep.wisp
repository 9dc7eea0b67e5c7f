; options:; status: 1
(macro inner (law (inner e x) (0 e (0 Pin "nowhere-at-all"))))
(macro outer (law (outer e x) (0 e (0 Pin (0 "inner")))))
(def f (law (f x)
  (x (outer x))))
