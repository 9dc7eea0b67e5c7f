(require "data0")
(require "check")
(require "list")
(require "row")
(require "string")
(require "utf8")
(require "decimal")
(require "bytes")
(require "balance")
(require "map")
(require "scc")
(require "io")
(require "print")
(require "text")
(require "args")
(require "file")
(require "socket")
(require "clock")
(require "json")
(require "wisp")
; Everything in the library.
;
; Invariants:
; - requires every other module; defines nothing.
