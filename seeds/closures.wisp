(require "measure")
; closures: functions that are made at run time: composed, partially applied and passed around.
;
;   plan closures.seed [N]      N = 5000 unless given
;
; Measures calls of unknown functions and partial applications: N composed functions are called N
; times, then Church numerals compute 2 to the power 16 and a sum by continuations follows.

; (f . g) x
(defun (compose f g x) (f (g x)))

; Composes n functions; the k-th adds k.
(defun (chain n f) (Seq f (if n (chain (Dec n) (compose (Add n) f)) f)))

; f (f x)
(defun (twice f x) (f (f x)))

; f called with n, n-1 .. 1; the sum of the results and acc.
(defun (each n f acc) (Seq acc (if n (each (Dec n) f (Add acc (f n))) acc)))

; A continuation: adds n to the sum and hands it to k.
(defun (step n k sum) (k (Add n sum)))

; Hands the sum of 1 .. n to k, which adds its part and hands it on.
(defun (count n k) (if n (count (Dec n) (step n k)) (k 0)))

; The last function of a chain.
(defun (same x) (Add x 0))

(defun (main args)
  (let* ((n (size args 5000)))
    (do
      (report "chain: " (each n (chain n same) 0))
      (report "church: " (twice twice twice twice Inc 0))
      (report "continuations: " (count (Mul n 100) same))
      0)))
