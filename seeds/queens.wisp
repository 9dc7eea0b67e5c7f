(require "measure")
; queens: in how many ways can N queens stand on a board of N by N without attacking each other?
; Shows the first way found, then the number of ways.
;
;   plan queens.seed [N]      N = 10 unless given
;
; Measures recursion, short lists and comparisons. A placement is a list of columns, the column of
; the last row first: a row of that column and the rest, or 0.

; Is column q safe from all queens of the list qs, the first of them d rows away?
(defun (safe q d qs)
  (let* ((c (Ix 0 qs)))
    (if (IsApp qs)
      (if (Or (Eq q c) (Or (Eq (Add c d) q) (Eq (Add q d) c)))
        0
        (safe q (Inc d) (Ix 1 qs)))
      1)))

; The number of ways to place k more queens on top of qs, the next one in column q or
; later.
(defun (ways n k q qs)
  (if (Eq q n)
    0
    (Add
      (ways n k (Inc q) qs)
      (if (safe q 1 qs) (if (Eq k 1) 1 (ways n (Dec k) 0 [q qs])) 0))))

; The first such placement as a list, or 0.
(defun (first n k q qs)
  (let* ((here (if (Eq k 1) [q qs] (first n (Dec k) 0 [q qs]))))
    (if (Eq q n) 0 (if (And (safe q 1 qs) (IsApp here)) here (first n k (Inc q) qs)))))

; One line of the board: a queen in column q of n columns.
(defun (line n q)
  (if n (cat (if (Eq q 0) "Q " ". ") (line (Dec n) (if q (Dec q) n))) 10))

; The lines of all queens of the list qs.
(defun (board n qs) (if (IsApp qs) (cat (line n (Ix 0 qs)) (board n (Ix 1 qs))) 0))

(defun (main args)
  (let* ((n (size args 10)))
    (do
      (write (board n (first n n 0 0)))
      (report (cat (decimal n) " queens: ") (ways n n 0 0))
      0)))
