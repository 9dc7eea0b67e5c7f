(require "std")
; Tests of the module map: maps and sets as values, with keys of all kinds.

(define m (map-from [["b" 2] ["a" 1] ["c" 3]]))
(define s (set-from [3 1 2 3]))

(deftest maps
  (= 0 map-empty) (= 0 (map-size map-empty)) (= 3 (map-size m)) (= [1] (map-get "a" m))
  (= 0 (map-get "d" m)) (= 1 (map-get-or 9 "a" m)) (= 9 (map-get-or 9 "d" m))
  (= 1 (map-has "a" m))
  (= 0 (map-has "d" m)) (= [7] (map-get "a" (map-put "a" 7 m))) (= [1] (map-get "a" m))
  (= ["b" "c"] (map-keys (map-delete "a" m))) (= 3 (map-size (map-delete "d" m)))
  (= [2] (map-get "a" (map-alter {old -> [(Inc (Ix0 old))]} "a" m)))
  (= 0 (map-has "a" (map-alter (const 0) "a" m)))
  (= [2] (map-get "a" (map-update Inc 0 "a" m))) (= [1] (map-get "d" (map-update Inc 0 "d" m)))
  (= ["a" "b" "c"] (map-keys m)) (= [1 2 3] (map-values m))
  (= [["a" 1] ["b" 2] ["c" 3]] (map-entries m))
  (= ["a" 1] (map-min m)) (= ["c" 3] (map-max m)) (= 0 (map-min 0)) (= 0 (map-max 0))
  (= 6 (map-fold {n k v -> (Add n v)} 0 m))
  (= [2 4 6] (map-values (map-map {k v -> (Mul 2 v)} m)))
  (= ["b"] (map-keys (map-filter {k v -> (even v)} m)))
  (= [2 4 6] (map-values (map-union-with Add m m)))
  (= [1 2 3 4] (map-values (map-union m (map-from [["a" 9] ["d" 4]]))))
  (= [["a" 1]] (map-entries (map-intersection m (map-from [["a" 9] ["d" 4]]))))
  (= ["b" "c"] (map-keys (map-difference m (map-from [["a" 9]]))))
  (= ["a"] (map-keys (Ix0 (map-split "b" m)))) (= ["c"] (map-keys (Ix2 (map-split "b" m))))
  (= [[2 4]] (map-get 0 (map-group {x -> (Mod x 2)} [1 2 3 4])))
  (= [["a" 2] ["b" 1]] (map-entries (map-count ["a" "b" "a"]))))

(define mixed (map-from [[[1 2] "row"] [Inc "pin"] [5 "nat"] [[1 3] "row2"] [(Bex 100) "big"]]))

(deftest keys-of-all-kinds
  (= ["row"] (map-get [1 2] mixed)) (= ["pin"] (map-get Inc mixed))
  (= ["big"] (map-get (Bex 100) mixed))
  (= 0 (map-get [1] mixed)) (= [5 (Bex 100) Inc [1 2] [1 3]] (map-keys mixed)))

(deftest sets
  (= 0 set-empty) (= 3 (set-size s)) (= [1 2 3] (set-items s)) (= 1 (set-has 2 s))
  (= 0 (set-has 4 s))
  (= [1 2 3 4] (set-items (set-add 4 s))) (= s (set-add 1 s))
  (= [1 3] (set-items (set-delete 2 s)))
  (= [0 1 2 3] (set-items (set-union s (set-from [0 1]))))
  (= [1] (set-items (set-intersection s (set-from [0 1]))))
  (= [2 3] (set-items (set-difference s (set-from [0 1])))) (= 1 (set-subset (set-from [1]) s))
  (= 0 (set-subset s (set-from [1]))) (= 1 (set-subset 0 s))
  (= 1 (set-equal s (set-from [1 2 3])))
  (= 0 (set-equal s (set-from [1 2 4]))) (= [2] (set-items (set-filter even s)))
  (= 6 (set-fold Add 0 s)))
