; options:; status: 1
(macro inner (law (inner e x) (0 e (0 Pin "nowhere"))))
(macro outer (law (outer e x) (0 e (0 "inner"))))
(def f (law (f x) (outer x)))
