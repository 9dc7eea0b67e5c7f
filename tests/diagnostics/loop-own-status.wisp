; options:; status: 7
(def __REPL (law (r env cs) 7))
1
