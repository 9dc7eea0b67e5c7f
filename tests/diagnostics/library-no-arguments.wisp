; options:; status: 1
(require "std")
(defun (main) (print 1))
