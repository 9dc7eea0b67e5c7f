(require "std")
; Tests of the module balance: against sorted rows, with the invariant checked after many changes.

; The number of keys of a tree that is balanced, ordered between low and high and counted right;
; throws otherwise.
(defun (checked t low high)
  (@ l (checked (Ix2 t) low (Ix0 t)))
  (@ r (checked (Ix3 t) (Inc (Ix0 t)) high))
  (and t
    (if (and (Le low (Ix0 t)) (Lt (Ix0 t) high)
          (Le (Inc l) (Mul 3 (Inc r))) (Le (Inc r) (Mul 3 (Inc l)))
          (Eq (Hd t) (Inc (Add l r))))
      (Hd t)
      (Error ["unbalanced" t]))))
(defun (sound t) (Seq (checked t 0 1000000) 1))

(define numbers (gen 500 {i -> (Mod (Mul i 7919) 1009)}))
(define pairs (map {k -> [k (Inc k)]} numbers))
(define tree (bal-from-pairs-row pairs))
(define rising (foldl {t k -> (bal-insert k 0 t)} bal-empty (range 0 1000)))
(define half (foldl {t k -> (bal-del k t)} tree (filter even numbers)))

(deftest trees
  (= 0 bal-empty) (sound (bal-sing 1 2)) (sound tree) (sound rising) (sound half)
  (= 500 (bal-sz tree)) (= 1000 (bal-sz rising))
  (= (filter odd (sort numbers)) (bal-keys-row half))
  (= (sort numbers) (bal-keys-row tree)) (= (map Inc (sort numbers)) (bal-vals-row tree))
  (= (stream (sort numbers)) (bal-keys-list tree)) (= (lsz (bal-vals-list tree)) 500)
  (all {k -> (planEq [(Inc k)] (bal-search k tree))} numbers) (= 0 (bal-search 1009 tree))
  (= 1 (bal-has 0 tree)) (= 0 (bal-has 1009 tree)) (= 0 (bal-idx 1009 tree))
  (= 1 (bal-idx 0 tree))
  (= (minimum numbers) (Ix0 (bal-min tree))) (= (maximum numbers) (Ix0 (bal-max tree)))
  (= 0 (bal-min 0)) (= 0 (bal-max 0)) (= tree (bal-del 1009 tree)))

(deftest changing
  (= [9] (bal-search 3 (bal-alter {old -> [9]} 3 0))) (= 0 (bal-alter {old -> 0} 3 0))
  (= 0 (bal-alter {old -> 0} 1 (bal-sing 1 5)))
  (= [[6]] (bal-search 1 (bal-alter {old -> [[(Inc (Ix0 old))]]} 1 (bal-sing 1 5))))
  (= [1 9] (bal-save (bal-insert 1 9 (bal-sing 1 5))))
  (= 0 (foldl {t k -> (bal-alter (const 0) k t)} tree numbers)))

(deftest whole
  (= [1 2 3 4] (bal-save (bal-from-pairs-list ~[[3 4] [1 2]])))
  (= ~[[1 2] [3 4]] (bal-to-pairs-list (bal-from-pairs-row [[3 4] [1 2]])))
  (= 500 (lsz (bal-walk tree))) (= (sum numbers) (bal-fold {n k v -> (Add n k)} 0 tree))
  (sound (bal-filter {k v -> (even k)} tree)) (= 0 (bal-filter {k v -> 0} tree))
  (= (map (Mul 2) (sort numbers)) (bal-vals-row (bal-map {k v -> (Mul 2 k)} tree))))

(defun (upto k) (bal-filter {x v -> (Lt x k)} tree))
(defun (from k) (bal-filter {x v -> (Ge x k)} tree))

(deftest joining
  (all {k -> (sound (bal-join2 (upto k) (from k)))} (range 0 100))
  (= (bal-keys-list tree) (bal-keys-list (bal-join2 (upto 10) (from 10))))
  (sound (bal-join 1010 0 tree (bal-sing 1011 0))) (sound (bal-join 1010 0 rising 0))
  (= [1 2 3 4 5 6] (bal-save (bal-join 3 4 (bal-sing 1 2) (bal-sing 5 6))))
  (sound (Ix0 (bal-split 500 tree))) (sound (Ix2 (bal-split 500 tree)))
  (= 500 (Add (bal-sz (Ix0 (bal-split 1009 tree))) (bal-sz (Ix2 (bal-split 1009 tree)))))
  (= [0 0 0] (bal-split 1 0)) (= [0 [5] 0] (bal-split 1 (bal-sing 1 5)))
  (sound (bal-union const (upto 700) (from 300)))
  (= 500 (bal-sz (bal-union const tree (from 300))))
  (= [1 11 2 7] (bal-save (bal-union Add (bal-sing 1 5) (bal-from-pairs-row [[1 6] [2 7]]))))
  (sound (bal-intersection const tree half)) (= half (bal-intersection const half half))
  (= (bal-keys-row half) (bal-keys-row (bal-intersection const tree half)))
  (sound (bal-difference tree half))
  (= (filter even (sort numbers)) (bal-keys-row (bal-difference tree half)))
  (= 0 (bal-difference tree tree)) (= tree (bal-difference tree 0)))
