; options:; status: 1
(defmacor (f x) x)
