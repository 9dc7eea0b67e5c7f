; options:; status: 1
(5 5)
	grün1m "[1m" (def x üy)
