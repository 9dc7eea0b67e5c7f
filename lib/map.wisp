(require "balance")
; Persistent maps from keys to values, and sets of values.
;
; Invariants:
; - a map is a tree of module balance, the empty one 0; a set is a map whose values are 1;
; - keys and members are any PLAN values, ordered by Cmp (naturals and strings as numbers);
; - the collection is the last argument; an operation gives a new one and leaves the old alone;
; - finding, adding and removing cost O(log n); "maybe" results are [x], or 0 for nothing.

;; Maps

(define map-empty "The map without keys." 0)
(define map-size "The number of keys. O(1).
(map-size (map-put 'a' 1 map-empty))  => 1" bal-sz)
(define map-put "(map-put key value m): m with key bound to value. O(log n).
(map-get 'a' (map-put 'a' 1 map-empty))  => [1]" bal-insert)
(define map-get "(map-get key m): the value of key as [value]; 0 if there is none. O(log n).
(map-get 'b' (map-put 'a' 1 map-empty))  => 0" bal-search)
(defun (map-get-or default key m) "The value of key, or default if there is none. O(log n).
(map-get-or 7 'b' (map-put 'a' 1 map-empty))  => 7" (Case 0 (bal-search key m) default))
(define map-has "(map-has key m): 1 if the key is there, else 0. O(log n).
(map-has 'a' (map-put 'a' 1 map-empty))  => 1" bal-has)
(define map-delete "(map-delete key m): m without the key. O(log n).
(map-delete 'a' (map-put 'a' 1 map-empty))  => 0" bal-del)
(define map-alter
  "(map-alter f key m): m with one binding changed by f. O(log n).
The function gets [value] or 0, and gives the same form.
(map-get 1 (map-alter {old -> [7]} 1 map-empty))  => [7]" bal-alter)
(defun (map-update f default key m)
  "m with the value of key, or default, replaced by f of it. O(log n).
(map-get 'a' (map-update Inc 0 'a' map-empty))  => [1]"
  (bal-alter {old -> (let ((v (f (Case 0 old default)))) (Seq v [v]))} key m))

(define map-from
  "(map-from pairs): the map of a row of [key value]; the last pair of a key counts.
(map-keys (map-from [[2 'b'] [1 'a']]))  => [1 2]" bal-from-pairs-row)
(define map-keys "The keys in ascending order, as a row.
(map-keys (map-from [[2 'b'] [1 'a']]))  => [1 2]" bal-keys-row)
(define map-values "The values in the order of their keys, as a row.
(map-values (map-from [[2 'b'] [1 'a']]))  => ['a' 'b']" bal-vals-row)
(defun (map-entries m) "The row of [key value] in ascending order of keys.
(map-entries (map-from [[2 'b'] [1 'a']]))  => [[1 'a'] [2 'b']]"
  (Row 0 (bal-sz m) (bal-to-pairs-list m)))
(defun (map-min m) "[key value] of the least key; 0 for the empty map. O(log n).
(map-min (map-from [[2 'b'] [1 'a']]))  => [1 'a']"
  (And m (let ((node (bal-min m))) [(Ix0 node) (Ix1 node)])))
(defun (map-max m) "[key value] of the greatest key; 0 for the empty map. O(log n).
(map-max (map-from [[2 'b'] [1 'a']]))  => [2 'b']"
  (And m (let ((node (bal-max m))) [(Ix0 node) (Ix1 node)])))
(define map-fold "(map-fold f z m): folds with (f acc key value) in ascending order of keys. O(n).
(map-fold {n k v -> (Add n v)} 0 (map-from [[1 5] [2 6]]))  => 11" bal-fold)
(define map-map "(map-map f m): the same keys with the values (f key value). O(n).
(map-entries (map-map Add (map-from [[1 5]])))  => [[1 6]]" bal-map)
(define map-filter "(map-filter f m): the entries for which (f key value) holds. O(n).
(map-keys (map-filter {k v -> (even v)} (map-from [[1 5] [2 6]])))  => [2]" bal-filter)
(define map-union-with
  "(map-union-with f a b): all entries; a common key has (f value-in-a value-in-b).
(map-entries (map-union-with Add (map-from [[1 5]]) (map-from [[1 6]])))  => [[1 11]]" bal-union)
(defun (map-union a b) "All entries of a, and those of b whose keys a does not have.
(map-entries (map-union (map-from [[1 5]]) (map-from [[1 6] [2 7]])))  => [[1 5] [2 7]]"
  (bal-union const a b))
(defun (map-intersection a b) "The entries of a whose keys b has too.
(map-entries (map-intersection (map-from [[1 5] [3 0]]) (map-from [[1 6]])))  => [[1 5]]"
  (bal-intersection const a b))
(define map-difference "(map-difference a b): the entries of a whose keys b does not have.
(map-keys (map-difference (map-from [[1 5] [3 0]]) (map-from [[1 6]])))  => [3]" bal-difference)
(define map-split
  "(map-split key m): [map of the keys below, [value] or 0, map of the keys above].
(Ix1 (map-split 1 (map-from [[1 5]])))  => [5]" bal-split)
(defun (map-group key row)
  "The map from (key x) to the row of the elements x with that key, in order.
(map-get 0 (map-group (flip Mod 2) [1 2 3 4]))  => [[2 4]]"
  (bal-map {k l -> (array (lrev l))}
    (foldl {m x -> (map-update {l -> [x l]} 0 (key x) m)} 0 row)))
(defun (map-count row) "The map from each element to how often it occurs.
(map-get 'a' (map-count ['a' 'b' 'a']))  => [2]"
  (foldl {m x -> (map-update Inc 0 x m)} 0 row))

;; Sets

(define set-empty "The empty set." 0)
(define set-size "The number of members. O(1).
(set-size (set-from [1 2 1]))  => 2" bal-sz)
(defun (set-add x s) "s with x in it. O(log n).
(set-has 1 (set-add 1 set-empty))  => 1" (bal-insert x 1 s))
(define set-has "(set-has x s): 1 if x is in s, else 0. O(log n).
(set-has 2 (set-from [1]))  => 0" bal-has)
(define set-delete "(set-delete x s): s without x. O(log n).
(set-delete 1 (set-from [1]))  => 0" bal-del)
(defun (set-from row) "The set of the elements of a row. O(n log n).
(set-items (set-from [3 1 3]))  => [1 3]" (foldl {s x -> (set-add x s)} 0 row))
(define set-items "The members in ascending order, as a row.
(set-items (set-from [3 1 3]))  => [1 3]" bal-keys-row)
(defun (set-union a b) "What is in a or in b.
(set-items (set-union (set-from [1 2]) (set-from [2 3])))  => [1 2 3]" (bal-union const a b))
(defun (set-intersection a b) "What is in a and in b.
(set-items (set-intersection (set-from [1 2]) (set-from [2 3])))  => [2]"
  (bal-intersection const a b))
(define set-difference "(set-difference a b): what is in a but not in b.
(set-items (set-difference (set-from [1 2]) (set-from [2 3])))  => [1]" bal-difference)
(defun (set-subset a b) "1 if every member of a is in b, else 0.
(set-subset (set-from [1]) (set-from [1 2]))  => 1" (Nil (bal-difference a b)))
(defun (set-equal a b) "1 if a and b have the same members, else 0.
(set-equal (set-from [2 1]) (set-from [1 2]))  => 1"
  (And (Eq (Hd a) (Hd b)) (set-subset a b)))
(defun (set-filter f s) "The members that satisfy f. O(n).
(set-items (set-filter even (set-from [1 2])))  => [2]" (bal-filter {x one -> (f x)} s))
(defun (set-fold f z s) "Folds with (f acc x) in ascending order. O(n).
(set-fold Add 0 (set-from [1 2]))  => 3" (bal-fold {acc x one -> (f acc x)} z s))
