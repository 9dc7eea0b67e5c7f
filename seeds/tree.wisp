(require "measure")
; tree: a map from N pseudo-random keys to numbers, as a balanced search tree; inserts all keys and
; then looks all of them up.
;
;   plan tree.seed [N]      N = 100000 unless given
;
; Measures persistent structures: small rows that are copied along a path and live long.
; The tree is an AA tree (Arne Andersson, Balanced search trees made simple, 1993):
; a row of level, left tree, key, value and right tree, or 0.

; The next value of a linear congruential generator of 31 bits.
(defun (random x) (Trunc 31 (Add (Mul x 1103515245) 12345)))

(defun (level t) (Ix 0 t))

(defun (left t) (Ix 1 t))

(defun (right t) (Ix 4 t))

; t with another left tree, or another right tree, evaluated: a lazy tree would pile up.
(defun (setleft t l) (Seq l (Up 1 l t)))

(defun (setright t r) (Seq r (Up 4 r t)))

; A left child on the same level is rotated to the right.
(defun (skew t)
  (let* ((l (left t)))
    (if (And (IsApp l) (Eq (level l) (level t)))
      (setright l (setleft t (right l)))
      (Seq t t))))

; Two right children on the same level: the middle one moves up.
(defun (split t)
  (let* ((r (right t))
         (up (Inc (level r))))
    (if (And (IsApp r) (Eq (level (right r)) (level t)))
      (Seq up (setleft (Up 0 up r) (setright t (left r))))
      (Seq t t))))

; t with key k mapped to v; both are evaluated.
(defun (insert t k v)
  (if (IsApp t)
    (Case3
      (Compare k (Ix 2 t))
      (split (skew (setleft t (insert (left t) k v))))
      (Up 3 v t)
      (split (skew (setright t (insert (right t) k v)))))
    [1 0 k v 0]))

; The value at k, or 0.
(defun (lookup t k)
  (if (IsApp t)
    (if (Eq k (Ix 2 t)) (Ix 3 t) (lookup (if (Lt k (Ix 2 t)) (left t) (right t)) k))
    0))

; Inserts n keys, the pseudo-random numbers after x; key i gets the value n-i.
(defun (fill n x t)
  (let* ((key (random x)))
    (do
      t
      key
      (if n (fill (Dec n) key (insert t key n)) t))))

; The sum of the values of the same keys.
(defun (total n x t acc)
  (let* ((key (random x)))
    (Seq acc (if n (total (Dec n) key t (Add acc (lookup t key))) acc))))

; The length of the longest path.
(defun (depth t)
  (let* ((a (depth (left t)))
         (b (depth (right t))))
    (if (IsApp t) (Inc (if (Lt a b) b a)) 0)))

(defun (main args)
  (let* ((n (size args 100000))
         (t (fill n 1 0)))
    (do
      (report "sum of values: " (total n 1 t 0))
      (report "depth: " (depth t))
      0)))
