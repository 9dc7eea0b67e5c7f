(require "measure")
; rows: multiplies two matrices of N by N numbers and transposes the result.
;
;   plan rows.seed [N]      N = 120 unless given
;
; Measures rows that are built once and read often, and small updates that copy a row.

; The list f 0, f 1 .. up to f (n-1), from i on.
(defun (tabulate f i n) (if (Lt i n) [(f i) (tabulate f (Inc i) n)] 0))

; The row of f 0 .. f (n-1).
(defun (build n f) (Row 0 n (tabulate f 0 n)))

(defun (at i j m) (Ix j (Ix i m)))

; The sum of a(i,k) * b(k,j) over k, and acc.
(defun (dot a b i j k acc)
  (Seq acc
    (if k (dot a b i j (Dec k) (Add acc (Mul (at i (Dec k) a) (at (Dec k) j b)))) acc)))

(defun (cell a b n i j) (dot a b i j n 0))

(defun (line a b n i) (build n (cell a b n i)))

(defun (multiply a b n) (build n (line a b n)))

; The matrix with i * n + j at (i, j), modulo 10.
(defun (fill n i j) (Mod (Add (Mul i n) j) 10))

(defun (lines n i) (build n (fill n i)))

(defun (column m j i) (at i j m))

(defun (columns m n j) (build n (column m j)))

(defun (transpose m n) (build n (columns m n)))

; Adds up all elements, each times its place.
(defun (check m n i acc)
  (Seq acc
    (if i
      (check m n (Dec i) (Add acc (Mul i (at (Div (Dec i) n) (Mod (Dec i) n) m))))
      acc)))

; Replaces element i of r by i * i, for i from k-1 down to 0.
(defun (squares k r)
  (Seq r (if k (squares (Dec k) (Up (Dec k) (Mul (Dec k) (Dec k)) r)) r)))

(defun (sum k r acc) (Seq acc (if k (sum (Dec k) r (Add acc (Ix (Dec k) r))) acc)))

(defun (main args)
  (let* ((n (size args 120))
         (a (build n (lines n)))
         (c (multiply a a n)))
    (do
      (report "product: " (check c n (Mul n n) 0))
      (report "transposed: " (check (transpose c n) n (Mul n n) 0))
      (report "squares: " (sum (Mul n 10) (squares (Mul n 10) (Rep 0 0 (Mul n 10))) 0))
      0)))
