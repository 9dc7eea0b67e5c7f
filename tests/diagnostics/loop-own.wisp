; options:; status: 1
(def __REPL-1 __REPL)
(def __REPL (law (r env cs) (__REPL-1 env cs)))
(def x 1)
(Pin
  y)
(def z 3)
