(require "measure")
; deep: recursion N levels deep that is not a loop.
;
;   plan deep.seed [N]      N = 1000000 unless given
;
; Measures a deep evaluation stack: a chain of N suspended additions that is evaluated from its
; far end, a list of N elements folded from the right, and a sum of 1 to N/10 that adds on the way
; back (fewer: some evaluators scan the whole stack at every collection).

; n + (n-1) + .. + 1
(defun (sum n) (if n (Add n (sum (Dec n))) 0))

; acc + 1 + 1 .. + 1, nothing added before the end is reached.
(defun (lazy n acc) (if n (lazy (Dec n) (Add 1 acc)) (Add acc 0)))

; The list n, n-1 .. 1
(defun (list n) (if n [n (list (Dec n))] 0))

; f x1 (f x2 (.. (f xn z)))
(defun (foldr f z xs) (if (IsApp xs) (f (Ix 0 xs) (foldr f z (Ix 1 xs))) (Add z 0)))

(defun (main args)
  (let* ((n (size args 1000000)))
    (do
      (report "sum: " (sum (Div n 10)))
      (report "count: " (lazy n 0))
      (report "fold: " (foldr Add 0 (list n)))
      0)))
