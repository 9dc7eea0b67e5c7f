(require "measure")
; stream: the N-th prime, from the endless list of all primes.
;
;   plan stream.seed [N]      N = 2500 unless given
;
; Measures lazy lists: every prime puts one more filter on the list of the numbers that remain.

; n, n+1, n+2 ..
(defun (from n) [n (from (Inc n))])

; The elements of xs that p does not divide.
(defun (sift p xs)
  (let* ((x (Ix 0 xs))
         (rest (Ix 1 xs)))
    (if (Mod x p) [x (sift p rest)] (sift p rest))))

; The primes among xs, which starts with a prime.
(defun (primes xs) [(Ix 0 xs) (primes (sift (Ix 0 xs) (Ix 1 xs)))])

; Element n of the list xs, from 0.
(defun (nth n xs) (if n (nth (Dec n) (Ix 1 xs)) (Ix 0 xs)))

(defun (main args)
  (let* ((n (size args 2500)))
    (Seq (report
           (cat "prime number " (cat (decimal n) ": "))
           (nth (Dec n) (primes (from 2))))
      0)))
