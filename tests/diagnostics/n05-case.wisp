; options:; status: 1
(def fooBar 1)
(def foo-bar 1)
foobar
