; options:; status: 9
(def prim (Pin 15))
(def __REPL (law (r env cs)
  ((Pin "bad") (prim (82 (prim (83 (prim (83 cs)))))))))
(def x 1)
5
