(require "std")
; Tests of the module row: edge cases, stability, and large rows.

(deftest making
  (= 0 (gen 0 Inc)) (= [1 2 3] (gen 3 Inc)) (= 0 (range 3 3)) (= [3 4] (range 3 5))
  (= 0 (repeat 0 7)) (= [7 7] (repeat 2 7))
  (= [6 7] (slice [5 6 7 8] 1 3)) (= [8] (slice [5 6 7 8] 3 9)) (= 0 (slice [5 6] 2 9))
  (= 0 (slice [5 6] 1 1)) (= [5 6] (slice [5 6] 0 2)) (= 0 (slice 0 0 3))
  (= [[5] [6 7]] (split-at 1 [5 6 7])) (= [0 [5]] (split-at 0 [5]))
  (= 0 (cat 0)) (= [1 2 3] (cat [0 [1] [2 3] 0])))

(deftest folding
  (= 5 (foldl Add 5 0)) (= [[0 1] 2] (foldl 0 0 [1 2])) (= [1 [2 0]] (foldr 0 0 [1 2]))
  (= 499999500000 (sum (range 0 1000000))) (= 6 (product [1 2 3])) (= 1 (product 0))
  (= 0 (maximum 0)) (= 9 (maximum [3 9 1])) (= 0 (minimum 0)) (= 1 (minimum [3 9 1]))
  (= 2 (count even [1 2 4])) (= 0 (each Inc [1 2])) (= 0 (each Inc 0))
  (= [8 [5 7]] (traverse 5 {s x -> [(Add s x) s]} [2 1])) (= [5 0] (traverse 5 0 0)))

(deftest finding
  (= 0 (find-index even [1 3])) (= [0] (find-index even [2])) (= [4] (find even [1 4 6]))
  (= 0 (find even 0)) (= [1] (index-of [2] [1 [2]])) (= 0 (index-of 9 [1]))
  (= 1 (has [2] [1 [2]])) (= 0 (has 9 0)) (= 0 (any even 0)) (= 1 (any even [1 2]))
  (= 1 (all even 0)) (= 0 (all even [2 3]))
  (= 0 (lower-bound 5 0)) (= 0 (lower-bound 0 [1 1])) (= 2 (lower-bound 2 [1 1 2 2]))
  (= 4 (lower-bound 9 [1 1 2 2])) (= 0 (binary-search 5 0)) (= 0 (binary-search 5 [4 6]))
  (all {i -> (planEq [i] (binary-search (Mul 2 i) (gen 100 (Mul 2))))} (range 0 100))
  (all {i -> (planEq 0 (binary-search (Inc (Mul 2 i)) (gen 100 (Mul 2))))} (range 0 100)))

(deftest transformed
  (= 0 (map Inc 0)) (= [2 3] (map Inc [1 2])) (= [7 9] (mapi Add [7 8]))
  (= 0 (filter even [1])) (= [2 4] (filter even [1 2 3 4]))
  (= [[2] [1 3]] (partition even [1 2 3]))
  (= 0 (reverse 0)) (= [3 2 1] (reverse [1 2 3])) (= [1 1 2 2] (concat-map (repeat 2) [1 2]))
  (= [11 22] (zip-with Add [1 2 3] [10 20])) (= [[1 3] [2 4]] (zip [1 2] [3 4 5]))
  (= 0 (zip 0 [1]))
  (= 0 (chunk 3 0)) (= [[1 2 3] [4]] (chunk 3 [1 2 3 4])) (= [[1 2]] (chunk 2 [1 2]))
  (= [5] (snoc 0 5)) (= [5 9 6] (insert-at 1 9 [5 6])) (= [5 6 9] (insert-at 7 9 [5 6]))
  (= [9] (insert-at 0 9 0)) (= [5 7] (remove-at 1 [5 6 7])) (= [5] (remove-at 9 [5]))
  (= [[1 1] [2]] (group-by planEq [1 1 2])) (= [1 2 1] (unique [1 1 2 1])))

(define scattered (gen 20000 {i -> (Mod (Mul i 7919) 1009)}))
(define sorted (sort scattered))

(deftest sorting
  (= 0 (sort 0)) (= [1] (sort [1])) (= [1 2 3] (sort [3 1 2])) (= [3 2 1] (sort-by Gt [3 1 2]))
  (all {i -> (Le (Ix i sorted) (Ix (Inc i) sorted))} (range 0 19999))
  (= (sum scattered) (sum sorted))
  (= [[0 3] [1 0] [1 2] [2 1]] (sort-on Ix0 [[1 0] [2 1] [1 2] [0 3]])))
