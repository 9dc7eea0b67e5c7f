; options:; status: 0
(def prim (Pin 15))
(def Add (Pin (law ("Add" a b) (prim (35 a b)))))
(def Seq (Pin (law ("Seq" a b) (prim (5 a b)))))
(def If (Pin (law ("If" c t e) (prim (26 c t e)))))
(def double (Pin (law (double x) (Add x x))))
(def pick (Pin (law (pick c) (@ d (double c)) (If c (Seq d (double c)) 7))))
(law (f x) (pick x 2))
(law (f x) (If (double x 3) (pick x) 4))
