(require "std")
; parqueens: in how many ways can N queens stand on a board of N by N? The rows are counted in
; parallel: one element for each two first queens.
;
;   plan parqueens.seed [N]      N = 11 unless given
;
; Measures parallel evaluation of a few elements of unequal size. A placement is a list as in queens.

; Is column q safe from all queens of the list qs, the first of them d rows away?
(defun (safe q d qs)
  (@ c (Ix 0 qs))
  (Ifz (IsApp qs) 1
    (If (Or (Eq q c) (Or (Eq (Add c d) q) (Eq (Add q d) c)))
      0
      (safe q (Inc d) (Ix 1 qs)))))

; The number of ways to place k more queens on top of qs, the next one in column q or later.
(defun (ways n k q qs)
  (If (Eq q n)
    0
    (Add
      (ways n k (Inc q) qs)
      (If (safe q 1 qs) (If (Eq k 1) 1 (ways n (Dec k) 0 [q qs])) 0))))

; Those with the first two queens in the columns i/n and i%n.
(defun (part n i)
  (@ a (Div i n))
  (@ b (Mod i n))
  (If (safe b 1 [a 0]) (ways n (Sub n 2) 0 [b [a 0]]) 0))

(defun (main args)
  (@ n (If args (Ix0 (parse-nat (Ix 0 args))) 11))
  (Seq (print-line (fmt "{} queens: {}" n (sum (par-gen (Mul n n) (part n))))) 0))
