; options:; status: 3
(require "nope-not-there")
