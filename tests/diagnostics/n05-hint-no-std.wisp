; options: --no-std; status: 1
(defun (f x) x)
