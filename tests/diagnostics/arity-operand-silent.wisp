; options:; status: 0
(def prim (Pin 15))
(def Add (Pin (law ("Add" a b) (prim (35 a b)))))
(def Seq (Pin (law ("Seq" a b) (prim (5 a b)))))
(def If (Pin (law ("If" c t e) (prim (26 c t e)))))
(law (f x) (Add x (Add 1)))
