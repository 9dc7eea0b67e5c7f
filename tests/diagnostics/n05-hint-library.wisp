; options:; status: 1
(defun (f x) x)
