; options:; status: 1
(macro check (law (check e x) ((Pin "bad") (0 "no" ((Pin 15) (83 x))))))
(def y
  (check (a b c)))
