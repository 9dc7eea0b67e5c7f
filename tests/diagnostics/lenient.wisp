; options: --lenient; status: 0
(def x)
(law (f x))
(law (f x) (let y x) y)
