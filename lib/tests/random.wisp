(require "std")
; Tests of the module random: ranges, repeatability, and a rough look at the distribution.

(define g (random-from 42))
(define thousand (random-row 1000 10 g))
(define many (random-row 10000 16 (random-from 7)))
(define counts (map {i -> (count (Eq i) many)} (range 0 16)))
(define order (shuffle (range 0 100) g))

(deftest from-a-seed
  (= thousand (random-row 1000 10 (random-from 42))) (all (Gt 10) thousand)
  (Ne (sum thousand) (sum (random-row 1000 10 (random-from 43))))
  (all {c -> (And (Gt c 500) (Lt c 750))} counts) (= 10000 (sum counts))
  (= (Ix0 thousand) (Ix0 (random-next 10 g))) (= 0 (random-row 0 10 g))
  (= (range 0 100) (sort order)) (= 0 (planEq order (range 0 100))) (= 0 (shuffle 0 g))
  (= (Ix 1 (random-row 2 (Bex 64) g)) (Ix0 (random-word (Ix1 (random-word g))))))

(deftest from-the-system
  (= 0 (random-below 0)) (= 0 (random-below 1)) (= bytes-empty (random-bytes 0))
  (= 1000 (bytes-length (random-bytes 1000))) (all {i -> (Lt (random-below 7) 7)} (range 0 100))
  (= 0 (bytes-equal (random-bytes 16) (random-bytes 16))) (Gt (Bits (random-below (Bex 200))) 150))
