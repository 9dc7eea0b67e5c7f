(require "measure")
; bigfib: the N-th Fibonacci number for a large N.
;
;   plan bigfib.seed [N]      N = 500000 unless given
;
; Measures sums of large numbers, and the short-lived numbers they leave behind: N additions, then
; once more by doubling with a few large products, which must agree.

; The n-th number of the sequence that starts with a, b.
(defun (fib n a b) (Seq b (if n (fib (Dec n) b (Add a b)) a)))

; The pair fib n, fib (n+1) by doubling: fib 2k = fib k * (2 * fib (k+1) - fib k),  fib
; (2k+1) = (fib k)^2 + (fib (k+1))^2
(defun (pair n)
  (let* ((p (pair (Rsh n 1)))
         (a (Ix 0 p))
         (b (Ix 1 p))
         (even (Mul a (Sub (Lsh b 1) a)))
         (odd (Add (Mul a a) (Mul b b))))
    (if n (if (Trunc 1 n) [odd (Add even odd)] [even odd]) [0 1])))

(defun (main args)
  (let* ((n (size args 500000))
         (f (fib n 0 1))
         (label (cat "fib " (decimal n))))
    (do
      (report (cat label " has this many bits: ") (Bits f))
      (report (cat label " has bytes that add up to: ") (bytesum (Bytes f) f 0))
      (report (cat label " is the one by doubling: ") (Eq f (Ix 0 (pair n))))
      0)))
