; options:; status: 1
(require "std")
(print (Add -1 3))
