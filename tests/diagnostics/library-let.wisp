; options:; status: 1
(require "lambda")
(defun (f x)
  (let ((abc x) (d (Inc abd)))
    (Add d abc)))
