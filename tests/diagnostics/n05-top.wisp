; options:; status: 1
(def blank 1)
(def f (law (f x) x))
(f blnk)
