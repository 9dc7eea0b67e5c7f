; options:; status: 1
(def blank 1)
(def scan (Pin (law (scan buf i)
  (@ gap  (blnk i))
  gap)))
