; options:; status: 1
(macro check (law (check e x) ((Pin "Syntax") (0 "abc is used twice" "abc"))))
(def y
  (check (a abc c)))
