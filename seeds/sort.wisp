(require "measure")
; sort: maps, filters, folds and merge-sorts a list of N pseudo-random numbers.
;
;   plan sort.seed [N]      N = 100000 unless given
;
; Measures lists: allocation of cells, lazy tails, collection of a live structure that grows.
; A list is a row of the first element and the rest; anything else ends it.
; n pseudo-random numbers after x.

; The next value of a linear congruential generator of 31 bits.
(defun (random x) (Trunc 31 (Add (Mul x 1103515245) 12345)))

(defun (randoms n x)
  (let* ((y (random x)))
    (if n [y (randoms (Dec n) y)] 0)))

; f of every element.
(defun (map f xs) (if (IsApp xs) [(f (Ix 0 xs)) (map f (Ix 1 xs))] 0))

; The elements for which f is not 0.
(defun (filter f xs)
  (let* ((rest (filter f (Ix 1 xs))))
    (if (IsApp xs) (if (f (Ix 0 xs)) [(Ix 0 xs) rest] (Seq rest rest)) 0)))

; f (.. (f (f acc x1) x2) ..) xn
(defun (fold f acc xs)
  (Seq acc (if (IsApp xs) (fold f (f acc (Ix 0 xs)) (Ix 1 xs)) acc)))

; The list without its first n elements.
(defun (drop n xs) (if n (drop (Dec n) (Ix 1 xs)) (Seq xs xs)))

; Two sorted lists as one.
(defun (merge a b)
  (let* ((x (Ix 0 a))
         (y (Ix 0 b)))
    (if (IsApp a)
      (if (IsApp b) (if (Le x y) [x (merge (Ix 1 a) b)] [y (merge a (Ix 1 b))]) a)
      (Seq b b))))

; The first n elements of xs in order.
(defun (sort n xs)
  (let* ((half (Rsh n 1)))
    (if (Lt n 2)
      [(Ix 0 xs) 0]
      (merge (sort half xs) (sort (Sub n half) (drop half xs))))))

(defun (odd x) (Trunc 1 x))

; The square of the lowest 16 bits of x.
(defun (square x)
  (let* ((y (Trunc 16 x)))
    (Mul y y)))

; A check value that depends on the order of the elements.
(defun (mix acc x) (Trunc 40 (Add (Mul acc 31) x)))

(defun (main args)
  (let* ((n (size args 100000))
         (xs (randoms n 1)))
    (do
      (report "sum of the squares: " (fold Add 0 (map square (filter odd xs))))
      (report "check value unsorted: " (fold mix 0 xs))
      (report "check value sorted: " (fold mix 0 (sort n xs)))
      0)))
