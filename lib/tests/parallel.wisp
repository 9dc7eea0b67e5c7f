(require "std")
; Tests of the module parallel: the same as without, whatever the elements do.

(defun (square x) (Mul x x))
(defun (tower n) (If n [n (tower (Dec n))] 0))
(defun (odd-throws x) (If (Mod x 2) ((Pin "Odd") x) x))
(defun (inner i) (sum (par-map (Mul i) (range 0 50))))

(deftest maps
  (= (map square (range 0 1000)) (par-map square (range 0 1000)))
  (= (map tower (range 0 100)) (ParMap tower (range 0 100)))
  (= 0 (par-map square 0)) (= 0 (par-map square 5)) (= [9] (par-map square [3]))
  (= [[1] [2]] (par-map {x -> [x]} [1 2]))
  (= (map (Mul 18446744073709551616) (range 0 99)) (par-map (Mul 18446744073709551616) (range 0 99)))
  (= (map inner (range 0 40)) (par-map inner (range 0 40)))
  (= [2 3] (par-map Inc (par-map Inc [0 1]))))

(deftest others
  (= (range 0 300) (par-gen 300 {i -> i}))
  (= 328350 (par-fold Add 0 square (range 0 100)))
  (= [3 [1]] (par-both Inc 2 {x -> [x]} 1)))

; The first exception in order, however many there are.
(deftest exceptions
  (= ("Odd" 3) (xtry (par-map odd-throws) [0 2 4 3 5 7 9 11]))
  (= [[0 2 4]] (xtry (par-map odd-throws) [0 2 4]))
  (= [("Odd" 1) [2]] (par-map {x -> (xtry odd-throws x)} [1 2])))
