(require "row")
; Weight-balanced search trees (Adams, Efficient sets: a balancing act, 1993), with the parameters
; 3 and 2 proved sound by Hirai and Yamamoto (Balancing weight-balanced trees, 2011).
;
; Invariants:
; - the empty tree is 0; a node is size[key value left right], its head being the number of keys;
; - keys are any PLAN values, ordered by Cmp: naturals before pins, laws and rows, then by content;
; - for each node: size(left) + 1 <= 3 * (size(right) + 1), and the other way round; so a tree of n
;   keys is at most 2.5 log2(n + 1) deep, and whatever walks one path costs O(log n) comparisons;
; - keys and values are evaluated when they are put in, or trees would keep what they come from;
; - trees are values: an operation gives a new tree that shares all but one path with the old one.

(define bal-empty "The empty tree." 0)
(define bal-sz "The number of keys in a tree. O(1).
(bal-sz (bal-sing 1 2))  => 1" Hd)
(defun (bal-sing key value) "The tree of one key.
(bal-to-pairs-list (bal-sing 1 2))  => ~[[1 2]]"
  (Seq key (Seq value (1 key value 0 0))))

; A node of trees that are balanced to one another.
(defun (%node k v l r)
  (@ size (Inc (Add (Hd l) (Hd r))))
  (Seq size (size k v l r)))
; A node with the key and value of the node t.
(defun (%node-as t l r)
  (@ k (Ix0 t))
  (@ v (Ix1 t))
  (Seq k (Seq v (Seq l (Seq r (%node k v l r))))))

(defun (%rotate-left k v l r)
  (@ rl (Ix2 r))
  (@ rr (Ix3 r))
  (If (Lt (Inc (Hd rl)) (Mul 2 (Inc (Hd rr))))
    (%node-as r (%node k v l rl) rr)
    (%node-as rl (%node k v l (Ix2 rl)) (%node-as r (Ix3 rl) rr))))
(defun (%rotate-right k v l r)
  (@ ll (Ix2 l))
  (@ lr (Ix3 l))
  (If (Lt (Inc (Hd lr)) (Mul 2 (Inc (Hd ll))))
    (%node-as l ll (%node k v lr r))
    (%node-as lr (%node-as l ll (Ix2 lr)) (%node k v (Ix3 lr) r))))

; A node of trees of which one may have gained or lost one key.
(defun (%balance k v l r)
  (@ wl (Inc (Hd l)))
  (@ wr (Inc (Hd r)))
  (If (Gt wr (Mul 3 wl)) (%rotate-left k v l r)
    (If (Gt wl (Mul 3 wr)) (%rotate-right k v l r)
      (%node k v l r))))
; The same with the key and value of the node t, whose other subtree stays.
(defun (%with-left t l)
  (@ k (Ix0 t))
  (@ v (Ix1 t))
  (@ r (Ix3 t))
  (Seq l (Seq k (Seq v (Seq r (%balance k v l r))))))
(defun (%with-right t r)
  (@ k (Ix0 t))
  (@ v (Ix1 t))
  (@ l (Ix2 t))
  (Seq r (Seq k (Seq v (Seq l (%balance k v l r))))))

(defun (%insert key value tree)
  (@ old (Ix0 tree))
  (@ l   (Ix2 tree))
  (@ r   (Ix3 tree))
  (Ifz tree (1 key value 0 0)
    (Case3 (Cmp key old)
      (let ((new (Seq l (%insert key value l)))) (Seq new (%with-left tree new)))
      (Seq l (Seq r ((Hd tree) key value l r)))
      (let ((new (Seq r (%insert key value r)))) (Seq new (%with-right tree new))))))
(defun (bal-insert key value tree)
  "The tree with key bound to value, in place of its old value if it has one.
(bal-idx 1 (bal-insert 1 5 bal-empty))  => 5"
  (Seq key (Seq value (%insert key value tree))))

(defun (bal-search key tree) "The value of key as [value]; 0 if the key is missing.
(bal-search 1 (bal-sing 1 5))  => [5]"
  (And tree
    (Case3 (Cmp key (Ix0 tree))
      (bal-search key (Ix2 tree))
      [(Ix1 tree)]
      (bal-search key (Ix3 tree)))))
(defun (bal-idx key tree) "The value of key; 0 if the key is missing.
(bal-idx 2 (bal-sing 1 5))  => 0" (Ix0 (bal-search key tree)))
(defun (bal-has key tree) "1 if the key is there, else 0.
(bal-has 1 (bal-sing 1 5))  => 1" (Truth (bal-search key tree)))

(defun (bal-min tree) "The node with the least key; 0 for the empty tree.
(Ix0 (bal-min (bal-insert 1 0 (bal-sing 2 0))))  => 1"
  (If (Ix2 tree) (bal-min (Ix2 tree)) tree))
(defun (bal-max tree) "The node with the greatest key; 0 for the empty tree.
(Ix0 (bal-max (bal-insert 1 0 (bal-sing 2 0))))  => 2"
  (If (Ix3 tree) (bal-max (Ix3 tree)) tree))
(defun (%drop-min tree)
  (Ifz (Ix2 tree) (Ix3 tree)
    (%with-left tree (%drop-min (Ix2 tree)))))
(defun (%drop-max tree)
  (Ifz (Ix3 tree) (Ix2 tree)
    (%with-right tree (%drop-max (Ix3 tree)))))

(defun (%balance-as t l r)
  (@ k (Ix0 t))
  (@ v (Ix1 t))
  (Seq k (Seq v (Seq l (Seq r (%balance k v l r))))))
; The tree of two trees that were balanced siblings, all keys of l being below those of r.
(defun (%glue l r)
  (Ifz l r
    (Ifz r l
      (If (Gt (Hd l) (Hd r))
        (%balance-as (bal-max l) (%drop-max l) r)
        (%balance-as (bal-min r) l (%drop-min r))))))

(defun (bal-alter f key tree)
  "Changes the binding of one key: f gets [value] or 0 and gives the same form.
(bal-idx 1 (bal-alter {old -> [(Inc (Ix0 old))]} 1 (bal-sing 1 5)))  => 6"
  (Ifz tree
    (let ((new (f 0))) (And new (bal-sing key (Ix0 new))))
    (Case3 (Cmp key (Ix0 tree))
      (%with-left tree (bal-alter f key (Ix2 tree)))
      (let* ((new (f [(Ix1 tree)])) (v (Ix0 new)) (k (Ix0 tree)))
        (Ifz new (%glue (Ix2 tree) (Ix3 tree))
          (Seq k (Seq v ((Hd tree) k v (Ix2 tree) (Ix3 tree))))))
      (%with-right tree (bal-alter f key (Ix3 tree))))))
(defun (bal-del key tree) "The tree without a key.
(bal-del 1 (bal-sing 1 5))  => 0"
  (And tree
    (Case3 (Cmp key (Ix0 tree))
      (%with-left tree (bal-del key (Ix2 tree)))
      (%glue (Ix2 tree) (Ix3 tree))
      (%with-right tree (bal-del key (Ix3 tree))))))

;; Whole trees

(defun (%bal-fold f acc tree)
  (Seq acc (Ifz tree acc
    (%bal-fold f (f (%bal-fold f acc (Ix2 tree)) tree) (Ix3 tree)))))
(defun (bal-fold f z tree) "Folds over the keys in ascending order with (f acc key value).
(bal-fold {n k v -> (Add n v)} 0 (bal-from-pairs-row [[1 5] [2 6]]))  => 11"
  (%bal-fold {acc node -> (f acc (Ix0 node) (Ix1 node))} z tree))
; The nodes in order, before those of `rest`: right to left, so that each is put in front.
(defun (%bal-walk tree rest)
  (Ifz tree rest
    (%bal-walk (Ix2 tree) [tree (%bal-walk (Ix3 tree) rest)])))
(defun (bal-walk tree) "The list of all nodes in ascending order of keys.
(lmap Ix0 (bal-walk (bal-from-pairs-row [[2 5] [1 6]])))  => ~[1 2]" (%bal-walk tree 0))
(defun (bal-keys-list tree) "The keys in ascending order, as a list.
(bal-keys-list (bal-sing 1 5))  => ~[1]" (lmap Ix0 (bal-walk tree)))
(defun (bal-vals-list tree) "The values in the order of their keys, as a list.
(bal-vals-list (bal-sing 1 5))  => ~[5]" (lmap Ix1 (bal-walk tree)))
(defun (bal-to-pairs-list tree) "The list of [key value] in ascending order of keys.
(bal-to-pairs-list (bal-sing 1 5))  => ~[[1 5]]"
  (lmap {n -> [(Ix0 n) (Ix1 n)]} (bal-walk tree)))
(defun (bal-keys-row tree) "The keys in ascending order, as a row.
(bal-keys-row (bal-sing 1 5))  => [1]" (Row 0 (Hd tree) (bal-keys-list tree)))
(defun (bal-vals-row tree) "The values in the order of their keys, as a row.
(bal-vals-row (bal-sing 1 5))  => [5]" (Row 0 (Hd tree) (bal-vals-list tree)))
(defun (bal-save tree) "The row of key, value, key, value ... in ascending order of keys.
(bal-save (bal-sing 1 5))  => [1 5]"
  (Row 0 (Lsh (Hd tree) 1)
    (lfoldr {n rest -> [(Ix0 n) [(Ix1 n) rest]]} 0 (bal-walk tree))))

(defun (bal-from-pairs-list pairs)
  "The tree of a list of [key value]; the last pair of a key counts.
(bal-idx 1 (bal-from-pairs-list ~[[1 5] [2 7] [1 6]]))  => 6"
  (lfoldl {tree p -> (bal-insert (Ix0 p) (Ix1 p) tree)} 0 pairs))
(defun (bal-from-pairs-row pairs)
  "The tree of a row of [key value]; the last pair of a key counts.
(bal-save (bal-from-pairs-row [[2 7] [1 6]]))  => [1 6 2 7]"
  (foldl {tree p -> (bal-insert (Ix0 p) (Ix1 p) tree)} 0 pairs))

;; Joining trees (Blelloch, Ferizovic and Sun, Just join for parallel ordered sets, 2016)

(defun (bal-join k v l r) "The tree of l, one key above all of l and below all of r, and r.
Costs O(|depth(l) - depth(r)|).
(bal-save (bal-join 2 0 (bal-sing 1 0) (bal-sing 3 0)))  => [1 0 2 0 3 0]"
  (@ wl (Inc (Hd l)))
  (@ wr (Inc (Hd r)))
  (Seq k (Seq v
    (If (Gt wr (Mul 3 wl)) (%with-left r (bal-join k v l (Ix2 r)))
      (If (Gt wl (Mul 3 wr)) (%with-right l (bal-join k v (Ix3 l) r))
        (%node k v l r))))))
; The same with the key and value of the node t.
(defun (%join-as t l r) (Seq l (Seq r (bal-join (Ix0 t) (Ix1 t) l r))))
(defun (bal-join2 l r) "The tree of l and r, all keys of l being below those of r.
(bal-save (bal-join2 (bal-sing 1 0) (bal-sing 3 0)))  => [1 0 3 0]"
  (Ifz r l (%join-as (bal-min r) l (%drop-min r))))
(defun (bal-split key tree) "[tree of the keys below, [value] or 0, tree of the keys above].
(bal-split 1 (bal-sing 1 5))  => [0 [5] 0]"
  (Ifz tree [0 0 0]
    (Case3 (Cmp key (Ix0 tree))
      (let ((parts (bal-split key (Ix2 tree))))
        [(Ix0 parts) (Ix1 parts) (%join-as tree (Ix2 parts) (Ix3 tree))])
      [(Ix2 tree) [(Ix1 tree)] (Ix3 tree)]
      (let ((parts (bal-split key (Ix3 tree))))
        [(%join-as tree (Ix2 tree) (Ix0 parts)) (Ix1 parts) (Ix2 parts)]))))

(defun (bal-union f a b)
  "The keys of both; the value of a common key is (f value-in-a value-in-b).
O(m log(n/m + 1)), m being the smaller size.
(bal-save (bal-union Add (bal-sing 1 5) (bal-from-pairs-row [[1 6] [2 7]])))  => [1 11 2 7]"
  (Ifz a b (Ifz b a
    (let* ((parts (bal-split (Ix0 a) b))
           (twin  (Ix1 parts))
           (v     (If twin (f (Ix1 a) (Ix0 twin)) (Ix1 a))))
      (bal-join (Ix0 a) v
        (bal-union f (Ix2 a) (Ix0 parts))
        (bal-union f (Ix3 a) (Ix2 parts)))))))
(defun (bal-intersection f a b) "The keys in both, with the values (f value-in-a value-in-b).
(bal-save (bal-intersection Add (bal-sing 1 5) (bal-from-pairs-row [[1 6] [2 7]])))  => [1 11]"
  (And a (And b
    (let* ((parts (bal-split (Ix0 a) b))
           (low   (bal-intersection f (Ix2 a) (Ix0 parts)))
           (high  (bal-intersection f (Ix3 a) (Ix2 parts))))
      (Ifz (Ix1 parts) (bal-join2 low high)
        (bal-join (Ix0 a) (f (Ix1 a) (Ix0 (Ix1 parts))) low high))))))
(defun (bal-difference a b) "The keys of a that are not in b, with their values.
(bal-save (bal-difference (bal-from-pairs-row [[1 6] [2 7]]) (bal-sing 1 5)))  => [2 7]"
  (Ifz b a (And a
    (let ((parts (bal-split (Ix0 b) a)))
      (bal-join2 (bal-difference (Ix0 parts) (Ix2 b))
                 (bal-difference (Ix2 parts) (Ix3 b)))))))
(defun (bal-filter f tree) "The keys for which (f key value) holds, with their values. O(n).
(bal-save (bal-filter {k v -> (even k)} (bal-from-pairs-row [[1 6] [2 7]])))  => [2 7]"
  (And tree
    (let* ((low  (bal-filter f (Ix2 tree)))
           (high (bal-filter f (Ix3 tree))))
      (If (f (Ix0 tree) (Ix1 tree))
        (%join-as tree low high)
        (bal-join2 low high)))))
(defun (bal-map f tree) "The same keys with the values (f key value). O(n).
(bal-save (bal-map {k v -> (Add k v)} (bal-sing 1 5)))  => [1 6]"
  (@ k (Ix0 tree))
  (@ l (bal-map f (Ix2 tree)))
  (@ v (f k (Ix1 tree)))
  (@ r (bal-map f (Ix3 tree)))
  (And tree (Seq l (Seq k (Seq v (Seq r ((Hd tree) k v l r)))))))
