; options:; status: 1
(macro check (law (check e x) ((Pin "Syntax") (0 "this is no list of names" ((Pin 15) (83 x))))))
(def y
  (check (a b c)))
