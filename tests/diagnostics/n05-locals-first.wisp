; options:; status: 1
(def contra 1) (def conta 2)
(law (f cont y) (contr y))
