(require "std")
; Tests of the module scc: small graphs by hand, long paths, and the definition itself.

(define cycle (gen 5000 {i -> [(Mod (Inc i) 5000)]}))
(define path (gen 5000 {i -> (If (Lt i 4999) [(Inc i)] 0)}))

; What is reached from a node, as a set: the definition of components by brute force.
(defun (reach graph seen i)
  (If (set-has i seen) seen (foldl (reach graph) (set-add i seen) (Ix i graph))))
(define graph [[1] [2] [3] [0 4] [3] [1] [1 6] [8] [9] [7] [10 2] [3 10]])
(defun (same a b) (And (set-has b (reach graph 0 a)) (set-has a (reach graph 0 b))))
(defun (together part) (all {a -> (all (same a) part)} part))

(defun (cyclic part) (Or (Gt (Sz part) 1) (has (Ix0 part) (Ix (Ix0 part) graph))))

(deftest components
  (= 0 (scc 0)) (= [[0]] (scc [0])) (= [(1 0)] (scc [[0]])) (= [[0] [1]] (scc [[1] 0]))
  (= [[1] [0]] (scc [0 [0]])) (= [[2] (1 0 1)] (scc [[1] [0] 0]))
  (= 1 (Sz (scc cycle))) (= 5000 (Sz (Ix0 (scc cycle)))) (= 5000 (Sz (scc path)))
  (= (range 0 5000) (map Ix0 (scc path)))
  (all together (scc graph)) (= 12 (sum (map Sz (scc graph)))) (= 6 (Sz (scc graph)))
  (= (range 0 12) (sort (cat (map {part -> (Coup 0 part)} (scc graph)))))
  (all {part -> (Eq (Hd part) (cyclic part))} (scc graph)))
