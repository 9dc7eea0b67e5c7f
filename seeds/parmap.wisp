(require "std")
; parmap: the sum of the lengths of the Collatz sequences of 1 to N, one element each, in parallel.
;
;   plan parmap.seed [N [F]]      N = 1000000 unless given; F = 1: squares instead
;
; Measures parallel evaluation of many small elements. The sequence of a number goes on with its
; half if it is even and three times the number plus one if it is odd, until it comes to 1.

(defun (steps x n) (If (Eq x 1) n (steps (If (Mod x 2) (Inc (Mul 3 x)) (Div x 2)) (Inc n))))
(defun (collatz x) (steps (Inc x) 0))
(defun (square x) (Mul x x))

(defun (number i args default)
  (If (Gt (Sz args) i) (Ix0 (parse-nat (Ix i args))) default))

(defun (main args)
  (@ n (number 0 args 1000000))
  (@ f (If (number 1 args 0) square collatz))
  (Seq (print-line (fmt "{}" (sum (par-gen n f)))) 0))
