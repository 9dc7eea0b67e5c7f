; options:; status: 0
(require "std")
(defun (main count words) (print words))
