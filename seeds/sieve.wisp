(require "measure")
; sieve: how many primes are there up to N? The sieve of Eratosthenes on a row of flags that is
; overwritten in place.
;
;   plan sieve.seed [N]      N = 1000000 unless given
;
; Measures reading and overwriting a large row. Operation 80 (UpUniq) overwrites: the old row must
; not be used again, so each step evaluates the new row before it goes on.

; The row r with element i replaced by v, in place.
(defun (put i v r) (UpUniq i v r))

; Strikes out i, i+p, i+2p and so on up to n.
(defun (strike p i n r)
  (let* ((next (put i 0 r)))
    (if (Lt n i) (Seq r r) (Seq next (strike p (Add i p) n next)))))

; Strikes out the multiples of all primes from p on.
(defun (sift p n r)
  (let* ((next (if (Ix p r) (strike p (Mul p p) n r) (Seq r r))))
    (if (Lt n (Mul p p)) (Seq r r) (Seq next (sift (Inc p) n next)))))

; The number of flags left from i on, plus acc.
(defun (count i n r acc)
  (Seq acc (if (Lt n i) acc (count (Inc i) n r (Add acc (Ix i r))))))

(defun (main args)
  (let* ((n (size args 1000000)))
    (Seq (report
           (cat "primes up to " (cat (decimal n) ": "))
           (count 2 n (sift 2 n (Rep 0 1 (Inc n))) 0))
      0)))
