; options:; status: 1
(require "std")
(defun (is-even n) (if n (is-odd (Dec n)) 1))
(print (is-even 3))
(defun (is-odd n) (if n (is-even (Dec n)) 0))
