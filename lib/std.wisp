(require "lambda")
(require "check")
; Everything in the library.
;
; Invariants:
; - requires every other module; defines nothing.
