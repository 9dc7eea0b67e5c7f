; options:; status: 0
(require "lambda")
(defun (sq x) (Mul x x))
(defun (f x) (let ((y (sq x 2))) (Inc y)))
