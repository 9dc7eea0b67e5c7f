(require "std")
; What the golden images remember: a natural of one word and one of four, a pin with a pin inside,
; a partial application.
;
; Invariants:
; - it never changes: the golden images were made from it.

(defun (run state args)
  (@ n (Inc (Ix0 state)))
  [[n (Ix1 state) (Ix2 state) (Ix3 state)]
   (print-line (fmt "run {}: {}" n (Add n (Ix1 state))))])

(define main (stateful run [0 (Bex 200) (Pin ["seed" (Pin (Bex 100))]) (Add 1)]))
