; options:; status: 1
(def f (law ("" x) blnk))
