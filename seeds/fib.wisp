(require "measure")
; fib: the n-th Fibonacci number by its definition, with 2^n calls or so.

;  plan fib.seed [N]      N = 32 unless given  Measures calls of a known law and small
; arithmetic.
(defun (fib n) (if (Lt n 2) n (Add (fib (Dec n)) (fib (Sub n 2)))))

(defun (main args)
  (let* ((n (size args 32)))
    (Seq (report (cat "fib " (cat (decimal n) " = ")) (fib n)) 0)))
