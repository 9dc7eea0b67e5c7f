(require "map")
; Tables: persistent maps for states that are committed, however large.
;
; A map is one value, and a commit writes a value that has changed as a whole. A pin is written once
; and for all. So the nodes of a table are pins: after a change everything but one path from the
; root is as it was, and the next commit writes that path, some kilobytes, not the table.
; They are B+ trees (Comer, The ubiquitous B-tree, 1979).
;
; Invariants:
; - the empty table is 0, any other size[node];
; - a node is the pin of a row of pairs key x key x ..., the keys ascending by Cmp: with the head 0
;   in a leaf, x being a value as it is kept; with the head 1 above, x being a node, the key not
;   above any of its keys, and above all keys further left;
; - a node has 8 to 16 pairs, the root 1 to 16, or 2 to 16 above leaves; all leaves are as deep;
; - a value that is not small is kept as the pin of [value]: it is not written again with its
;   neighbours, and a value that is a pin itself cannot be mistaken;
; - keys and values are evaluated completely when they are put in;
; - "maybe" results are [x], or 0 for nothing.

;; Values as they are kept

(defun (%tab-short x) (And (IsNat x) (Le (Bytes x) 64)))
(defun (%tab-small x)
  (Or (%tab-short x)
    (And (IsApp x) (And (Le (Sz x) 4) (And (%tab-short (Hd x)) (all %tab-short x))))))
(defun (%tab-keep x)
  (@ v (Force x))
  (If (%tab-small v) v (MkPin [v])))
(defun (%tab-kept x) (If (IsPin x) (Ix0 (Unpin x)) x))

;; Rows of pairs

; Of the pairs from..to of a row the last one whose key is not above key; from if there is none.
(defun (%tab-seek key row from to)
  (@ mid (Rsh (Add from (Inc to)) 1))
  (If (Ge from to) from
    (If (Cmp key (Ix (Lsh mid 1) row))
      (%tab-seek key row mid to)
      (%tab-seek key row from (Dec mid)))))
; The slot of that pair among all.
(defun (%tab-slot key row) (Lsh (%tab-seek key row 0 (Dec (Rsh (Sz row) 1))) 1))
; A row with the slots of new in the place of those from up to, not including, to.
(defun (%tab-splice row from to new)
  (@ n    (Sz new))
  (@ more (Sub (Sz row) to))
  (Copy more to (Add from n) row
    (Copy n 0 from new
      (Copy from 0 0 row (Rep (Hd row) 0 (Add from (Add n more)))))))
(defun (%tab-part row from to)
  (@ n (Sub to from))
  (Copy n from 0 row (Rep (Hd row) 0 n)))
; The pairs that stand for a row in the node above: one, or two if it is too long for one node.
(defun (%tab-pack row)
  (@ n    (Sz row))
  (@ half (Lsh (Rsh n 2) 1))
  (If (Le n 32) [(Ix0 row) (MkPin row)]
    [(Ix0 row) (MkPin (%tab-part row 0 half)) (Ix half row) (MkPin (%tab-part row half n))]))

;; One binding

(define table-empty "The table without keys." 0)
(define table-size "The number of keys. O(1).
(table-size (table-put 'a' 1 table-empty))  => 1" Hd)

(defun (%tab-find key node)
  (@ row (Unpin node))
  (@ at  (%tab-slot key row))
  (If (Hd row) (%tab-find key (Ix (Inc at) row))
    (And (Eq 1 (Cmp key (Ix at row))) [(%tab-kept (Ix (Inc at) row))])))
(defun (table-get key t) "The value of key as [value]; 0 if there is none. O(log n).
(table-get 'a' (table-put 'a' 1 table-empty))  => [1]"
  (And t (%tab-find key (Ix0 t))))
(defun (table-get-or default key t) "The value of key, or default if there is none. O(log n).
(table-get-or 7 'b' (table-put 'a' 1 table-empty))  => 7" (Case 0 (table-get key t) default))
(defun (table-has key t) "1 if the key is there, else 0. O(log n).
(table-has 'a' (table-put 'a' 1 table-empty))  => 1" (Truth (table-get key t)))

; The pairs that stand for a node after a put.
(defun (%tab-put key x node)
  (@ row (Unpin node))
  (@ at  (%tab-slot key row))
  (@ end (Add at 2))
  (%tab-pack
    (If (Hd row)
      (%tab-splice row at end (%tab-put key x (Ix (Inc at) row)))
      (Case3 (Cmp key (Ix at row))
        (%tab-splice row at at [key x])
        (%tab-splice row at end [key x])
        (%tab-splice row end end [key x])))))
; A table of n keys; the node is made now.
(defun (%tab-of n node) (Seq n (Seq node (n node))))
(defun (table-put key value t) "t with key bound to value. O(log n).
(table-get 'a' (table-put 'a' 1 table-empty))  => [1]"
  (@ k     (Force key))
  (@ x     (%tab-keep value))
  (@ n     (If (table-has k t) (Hd t) (Inc (Hd t))))
  (@ pairs (%tab-put k x (Ix0 t)))
  (Seq k (Seq x
    (Ifz t (%tab-of 1 (MkPin [k x]))
      (%tab-of n (If (Eq 2 (Sz pairs)) (Ix1 pairs) (MkPin (Coup 1 pairs))))))))

; The pairs of a node without a key that it has, perhaps fewer than a node may have.
(defun (%tab-drop key node)
  (@ row  (Unpin node))
  (@ at   (%tab-slot key row))
  (@ sub  (%tab-drop key (Ix (Inc at) row)))
  (@ from (Sub at 2))
  (@ two  (If at
            (%tab-splice sub 0 0 (Unpin (Ix (Dec at) row)))
            (%tab-splice sub (Sz sub) (Sz sub) (Unpin (Ix3 row)))))
  (Ifz (Hd row) (%tab-splice row at (Add at 2) 0)
    (If (Ge (Sz sub) 16)
      (%tab-splice row at (Add at 2) (%tab-pack sub))
      (%tab-splice row from (Add from 4) (%tab-pack two)))))
(defun (table-delete key t) "t without the key; t itself if it does not have it. O(log n).
(table-delete 'a' (table-put 'a' 1 table-empty))  => 0"
  (@ row (%tab-drop key (Ix0 t)))
  (@ n   (Dec (Hd t)))
  (If (Nil (table-has key t)) t
    (And n
      (%tab-of n (If (And (Hd row) (Eq 2 (Sz row))) (Ix1 row) (MkPin row))))))
(defun (table-update f default key t)
  "t with the value of key, or default, replaced by f of it. O(log n).
(table-get 'a' (table-update Inc 0 'a' table-empty))  => [1]"
  (table-put key (f (table-get-or default key t)) t))

;; All bindings

; The list of [key value] of a node's row from slot i on, before the list rest.
(defun (%tab-list row i rest)
  (@ more (%tab-list row (Add i 2) rest))
  (If (Ge i (Sz row)) rest
    (If (Hd row) (%tab-list (Unpin (Ix (Inc i) row)) 0 more)
      [[(Ix i row) (%tab-kept (Ix (Inc i) row))] more])))
(defun (%tab-list-from key row rest)
  (@ at   (%tab-slot key row))
  (@ next (Add at 2))
  (If (Hd row) (%tab-list-from key (Unpin (Ix (Inc at) row)) (%tab-list row next rest))
    (%tab-list row (If (Gt (Cmp key (Ix at row)) 1) next at) rest)))
(defun (table-list t) "The lazy list of [key value] in ascending order of keys.
(table-list (table-from [[2 'b'] [1 'a']]))  => ~[[1 'a'] [2 'b']]"
  (And t (%tab-list (Unpin (Ix0 t)) 0 0)))
(defun (table-list-from key t)
  "The lazy list of [key value], beginning with the first key that is not below key.
O(log n) for the first element.
(table-list-from 2 (table-from [[1 'a'] [3 'c'] [4 'd']]))  => ~[[3 'c'] [4 'd']]"
  (And t (%tab-list-from key (Unpin (Ix0 t)) 0)))
(defun (table-fold f z t) "Folds with (f acc key value) in ascending order of keys. O(n).
(table-fold {n k v -> (Add n v)} 0 (table-from [[1 5] [2 6]]))  => 11"
  (lfoldl {acc e -> (f acc (Ix0 e) (Ix1 e))} z (table-list t)))
(defun (table-entries t) "The row of [key value] in ascending order of keys. O(n).
(table-entries (table-from [[2 'b'] [1 'a']]))  => [[1 'a'] [2 'b']]"
  (Row 0 (table-size t) (table-list t)))
(defun (table-keys t) "The keys in ascending order, as a row. O(n).
(table-keys (table-from [[2 'b'] [1 'a']]))  => [1 2]"
  (Row 0 (table-size t) (lmap Ix0 (table-list t))))
(defun (table-values t) "The values in the order of their keys, as a row. O(n).
(table-values (table-from [[2 'b'] [1 'a']]))  => ['a' 'b']"
  (Row 0 (table-size t) (lmap Ix1 (table-list t))))
(defun (table-from pairs) "The table of a row of [key value]; the last pair of a key counts.
(table-keys (table-from [[2 'b'] [1 'a']]))  => [1 2]"
  (foldl {t p -> (table-put (Ix0 p) (Ix1 p) t)} table-empty pairs))
