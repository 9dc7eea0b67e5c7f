; options:; status: 1
(require "std")
(defmacro (twice x) [0 ["Add" x x]])
