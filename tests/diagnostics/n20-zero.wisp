; options:; status: 0
(def __REPL 0)
1 2
