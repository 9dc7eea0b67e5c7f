; options:; status: 1
(require "std")
(print "say \"hi\"")
