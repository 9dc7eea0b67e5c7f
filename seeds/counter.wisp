(require "std")
; counter: counts how often it was run.
;
;   plan build counter.wisp -o counter      makes the executable
;   ./counter                               prints the number of this run
;   ./counter reset                         begins again
;
; The number is committed before it is printed: what happens between the two may cost a line of
; output, but no number is ever printed twice.

; The next state, and what is done when it is safe.
(defun (run n args)
  (@ next (Inc n))
  (cond
    ((not args)               [next (print-line (showNat next))])
    ((planEq args ["reset"])  [0 (print-line "the next run is number 1")])
    (else [n (do (print-error "counter: what is wanted? (nothing counts on, reset begins again)")
                 2)])))

(define main (stateful run 0))
