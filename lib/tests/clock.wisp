(require "std")
; Tests of the module clock: clocks go on, and dates against their own inverse.

(define start (monotonic-ns 0))
(define slept (sleep-ms 20))

(deftest clocks
  (= 0 slept) (Ge (monotonic-ns 0) (Add start 20000000)) (Le (monotonic-ns 0) (monotonic-ns 0))
  (Gt (now 0) 1600000000) (Ge (now-ns 0) (Mul 1000000000 (now 0)))
  (Lt (Sub (now-ns 0) (Mul 1000000000 (now 0))) 10000000000))

(defun (back days) (@ d (date-of-days days)) (days-of-date (Ix0 d) (Ix1 d) (Ix2 d)))

(deftest dates
  (= [1970 1 1] (date-of-days 0)) (= [2000 2 29] (date-of-days 11016))
  (= [2000 3 1] (date-of-days 11017))
  (= [2100 2 28] (date-of-days 47540)) (= [2100 3 1] (date-of-days 47541))
  (= [1999 12 31] (date-of-days 10956))
  (= 0 (days-of-date 1970 1 1)) (= 19782 (days-of-date 2024 2 29))
  (all {i -> (Eq i (back i))} (range 0 3000)) (all {i -> (Eq i (back i))} (range 46000 48000))
  (= "1970-01-01T00:00:00Z" (show-time 0)) (= "2038-01-19T03:14:07Z" (show-time 2147483647)))
