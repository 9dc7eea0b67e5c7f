(require "std")
; Tests of the module table: against maps, with the invariant checked after many changes.

; The depth of a node whose keys lie from low up to, not including, high; throws if it is unsound.
; few: how many pairs it must have.
(defun (depth node few low high)
  (@ row  (Unpin node))
  (@ n    (Rsh (Sz row) 1))
  (@ key  {i -> (Ix (Lsh i 1) row)})
  (@ end  {i -> (if (Eq (Inc i) n) high (key (Inc i)))})
  (@ deep (gen n {i -> (depth (Ix (Inc (Lsh i 1)) row) 8 (key i) (end i))}))
  (@ fine (and (IsPin node) (Ge n few) (Le n 16) (Lt (key (Dec n)) high)
            (all {i -> (and (Le low (key i)) (Lt (key i) (end i)))} (range 0 n))
            (or (Eq 0 (Hd row)) (and (Eq 1 (Hd row)) (Eq 1 (Sz (unique deep)))))))
  (if fine (if (Hd row) (Inc (Ix0 deep)) 1) (Error ["unsound" node])))
; 1 if a table of natural keys is sound and has the entries of a map.
(defun (same m t)
  (@ root (Ix0 t))
  (and (or (Nil t) (depth root (if (Hd (Unpin root)) 2 1) 0 (Bex 40)))
    (Eq (map-size m) (table-size t))
    (planEq (map-entries m) (table-entries t))))

; n changes, after each of which both are compared: puts and, from the third of three on, deletes.
(defun (changes n x deletes m t)
  (@ y (Mod (Add (Mul x 1103515245) 12345) 2147483648))
  (@ k (Mod (Rsh y 8) 400))
  (@ put (Gt (Mod (Rsh y 20) 10) deletes))
  (@ m2 (if put (map-put k y m) (map-delete k m)))
  (@ t2 (if put (table-put k y t) (table-delete k t)))
  (if n
    (if (same m2 t2) (changes (Dec n) y deletes m2 t2) (Error ["different" k m2 t2]))
    [m t y]))

(define numbers (gen 3000 {i -> (Mod (Mul i 7919) 10007)}))
(define big (table-from (map {k -> [k (Inc k)]} numbers)))
(define rising (table-from (gen 1000 {i -> [i i]})))
(define model (map-from (map {k -> [k (Inc k)]} numbers)))

(deftest tables
  (= 0 table-empty) (= 0 (table-get 1 0)) (= 0 (table-delete 1 0)) (= 0 (table-size 0))
  (same model big) (same (map-from (gen 1000 {i -> [i i]})) rising)
  (all {k -> (planEq [(Inc k)] (table-get k big))} numbers) (= 0 (table-get 10007 big))
  (= 1 (table-has 0 big)) (= 0 (table-has 10007 big)) (= 9 (table-get-or 9 10007 big))
  (= 1 (RefEq big (table-delete 10007 big)))
  (= [7] (table-get 0 (table-update (Add 6) 0 0 big))) (= [1] (table-get 0 big))
  (= [6] (table-get 20000 (table-update (Add 6) 0 20000 big))))

(defun (flip-delete t k) (table-delete k t))
(deftest emptied
  (= 0 (foldl flip-delete big numbers))
  (= 0 (foldl flip-delete big (reverse (sort numbers)))))

(deftest half-emptied
  (same (map-filter {k v -> (even k)} model) (foldl flip-delete big (filter odd numbers)))
  (same (map-filter {k v -> (Lt k 900)} model)
    (foldl flip-delete big (filter {k -> (Ge k 900)} numbers))))

(deftest random-changes
  (let* (([m t x] (changes 1000 1 2 0 0)) ([m2 t2 y] (changes 1000 x 6 m t))
         ([m3 t3 z] (changes 500 y 9 m2 t2)))
    (and (Gt (table-size t) 200) (Lt (table-size t2) 200) (Lt (table-size t3) 60))))

(deftest lists
  (= (map {k -> [k (Inc k)]} (sort numbers)) (table-entries big))
  (= (sort numbers) (table-keys big)) (= (map Inc (sort numbers)) (table-values big))
  (all {k -> (Eq k (Ix0 (Ix0 (table-list-from k rising))))} (range 0 1000))
  (= 0 (table-list-from 1000 rising)) (= 0 (table-list 0)) (= 0 (table-list-from 1 0))
  (= [16 16] (Ix0 (table-list-from 15 (table-delete 15 rising))))
  (= 10 (lsz (table-list-from 990 rising)))
  (= (sum numbers) (table-fold {n k v -> (Add n k)} 0 big)))

; Values and keys of all kinds and sizes; a value that is a pin stays one.
(define odd-keys [0 "key" [1 2] Inc (Bex 4000) (5 1)])
(define odd-values [0 "v" (Pin [1]) [1 2 3 4 5] (Bex 4000) [[1]] [1 (Bex 600)] (7 8) Add])
(deftest kinds
  (all {k -> (all {v -> (planEq [v] (table-get k (table-put k v rising)))} odd-values)} odd-keys)
  (= 1 (table-get-or 0 Inc (table-from [[Inc 1] [5 2]]))))

; What is not small is a pin of its own, and one change leaves all other nodes as they are.
(deftest sharing
  (= 1 (IsPin (Ix1 (Unpin (Ix0 (table-put 1 (Bex 600) 0))))))
  (= 0 (IsPin (Ix1 (Unpin (Ix0 (table-put 1 [3 "abc"] 0))))))
  (let ((old (Unpin (Ix0 big))) (new (Unpin (Ix0 (table-put 5 5 big)))))
    (Eq 1 (count {i -> (Nil (RefEq (Ix i old) (Ix i new)))} (range 0 (Sz old))))))
