; options:; status: 1
(require "std")
(defun (f x) (if (Eq x 0) 1 (/ x 2)))
