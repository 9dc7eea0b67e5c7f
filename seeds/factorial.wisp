(require "measure")
; factorial: N! for a large N, several times over.
;
;   plan factorial.seed [N]      N = 3000 unless given
;
; Measures products of a large and a small number. N! is computed as one long product, then once
; more as a tree of products of numbers of equal size, which must agree; then N/6 factorials from
; N! on.

; acc * n * (n-1) .. * 1
(defun (fact n acc) (Seq acc (if n (fact (Dec n) (Mul acc n)) acc)))

; a * (a+1) .. * (b-1), by halves.
(defun (product a b)
  (let* ((m (Rsh (Add a b) 1)))
    (if (Lt (Sub b a) 2) (Add a 0) (Mul (product a m) (product m b)))))

; The sum of the bit lengths of n!, (n+1)!, .. (n+k-1)!
(defun (widths k n acc)
  (Seq acc (if k (widths (Dec k) (Inc n) (Add acc (Bits (fact n 1)))) acc)))

(defun (main args)
  (let* ((n (size args 3000))
         (f (fact n 1))
         (label (cat (decimal n) "! ")))
    (do
      (report (cat label "has this many bits: ") (Bits f))
      (report (cat label "has bytes that add up to: ") (bytesum (Bytes f) f 0))
      (report (cat label "is the product by halves: ") (Eq f (product 1 (Inc n))))
      (report "bits of the next factorials: " (widths (Div n 6) n 0))
      0)))
