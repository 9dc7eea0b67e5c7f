(require "measure")
; primes: prints the prime numbers below N.
;
;   plan primes.seed [N]      N = 100 unless given
;
; The primes are an endless list. A number is prime if no prime up to its square root divides it.
; The list is read while it is still being made: that works because a list cell is evaluated only
; when it is needed, and once.

; Is n divided by none of the primes ps?
(defun (prime n ps)
  (let* ((p (Ix 0 ps)))
    (if (Lt n (Mul p p)) 1 (if (Mod n p) (prime n (Ix 1 ps)) 0))))

; The primes from n on, n odd; ps is the list of all primes.
(defun (search n ps) (if (prime n ps) [n (search (Add n 2) ps)] (search (Add n 2) ps)))

; All primes.
(defun (primes from)
  (letrec ((ps [from [3 (search 5 (Ix 1 ps))]]))
    (Seq ps ps)))

; n in decimal, in a column of five characters.
(defun (column n)
  (let* ((text (decimal n)))
    (cat (Load 0 (Sub 5 (Bytes text)) "     ") text)))

; Writes the primes of the list that are below n, ten on a line; i counts them.
(defun (show n i ps)
  (let* ((p (Ix 0 ps)))
    (if (Lt p n)
      (Seq (write (cat (column p) (if (Eq (Mod i 10) 9) 10 0)))
        (show n (Inc i) (Ix 1 ps)))
      (Seq (write (if (Mod i 10) 10 0)) (report "that makes " i)))))

(defun (main args) (Seq (show (size args 100) 0 (primes 2)) 0))
