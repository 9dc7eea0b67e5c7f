; options:; status: 1
(require "lambda")
(defun (f x) (let (y 1) y))
