; options:; status: 3
(def x 1)
(require "n05-top")
