; options:; status: 1
(macro check (law (check e x) ((Pin "Failed") (0 "expected 1, got 2" x))))
(check 1 2)
