(require "list")
; Rows: values [a b c] of a fixed number of elements, any of which is reached in O(1).
;
; Invariants:
; - functions that make a row cost O(n) unless their text says otherwise; elements may stay
;   unevaluated until somebody looks at them;
; - an index counts from 0; 0 is the empty row;
; - "maybe" results are [x], or 0 for nothing.

;; Making rows

(defun (gen n f) "The row of (f 0) to (f (n-1)).
(gen 3 (Mul 2))  => [0 2 4]" (Row 0 n (lgenfrom 0 n f)))
(defun (range a b) "The numbers from a up to, not including, b.
(range 2 5)  => [2 3 4]" (gen (Sub b a) (Add a)))
(defun (repeat n x) "The row of n times x.
(repeat 3 7)  => [7 7 7]" (Rep 0 x n))

(defun (slice row from to) "The elements from index from up to, not including, to.
(slice [5 6 7 8] 1 3)  => [6 7]"
  (@ end (min to (Sz row)))
  (@ n   (Sub end from))
  (Copy n from 0 row (Rep 0 0 n)))
(defun (split-at i row) "[the first i elements, the others].
(split-at 1 [5 6 7])  => [[5] [6 7]]" [(slice row 0 i) (slice row i (Sz row))])

;; Folding

(defun (%foldl f z row i n)
  (Seq z (If (Eq i n) z (%foldl f (f z (Ix i row)) row (Inc i) n))))
(defun (foldl f z row)
  "Folds from the left, (f (f z x1) x2) ...; results are evaluated as they arise.
(foldl Sub 10 [1 2 3])  => 4" (%foldl f z row 0 (Sz row)))
(defun (%foldr f z row i)
  (Seq z (Ifz i z (%foldr f (f (Ix (Dec i) row) z) row (Dec i)))))
(defun (foldr f z row) "Folds from the right, (f x1 (f x2 ... z)); starts at the last element.
(foldr Sub 1 [9 5 3])  => 6" (%foldr f z row (Sz row)))

(defun (cat rows) "One row of the elements of a row of rows. O(result).
(cat [[1] 0 [2 3]])  => [1 2 3]"
  (Row 0 (foldl {n r -> (Add n (Sz r))} 0 rows) (lcat (lmap stream (stream rows)))))

;; Summing up

(defun (sum row) "The sum of the elements.
(sum [1 2 3])  => 6" (foldl Add 0 row))
(defun (product row) "The product of the elements.
(product [2 3 4])  => 24" (foldl Mul 1 row))
(defun (maximum row) "The greatest element, 0 for the empty row.
(maximum [2 9 4])  => 9" (foldl max 0 row))
(defun (minimum row) "The least element, 0 for the empty row.
(minimum [5 2 9])  => 2" (foldl min (Ix0 row) row))
(defun (count f row) "How many elements satisfy f.
(count even [1 2 4])  => 2" (foldl {n x -> (If (f x) (Inc n) n)} 0 row))

(defun (%each f row i n)
  (And (Ne i n) (Seq (f (Ix i row)) (%each f row (Inc i) n))))
(defun (each f row) "Evaluates (f x) for each element in order; gives 0. For effects.
(each Inc [1 2])  => 0" (%each f row 0 (Sz row)))

(defun (traverse s f row)
  "Threads a state: (f s x) gives [next y]; the result is [last-state row-of-y].
(traverse 5 {s x -> [(Inc s) (Add s x)]} [3 4])  => [7 [8 10]]"
  (@ step {acc x -> (let ((r (f (Ix0 acc) x))) [(Ix0 r) [(Ix1 r) (Ix1 acc)]])})
  (@ end  (foldl step [s 0] row))
  [(Ix0 end) (Row 0 (Sz row) (lrev (Ix1 end)))])

;; Finding

(defun (%find-index f row i n)
  (And (Ne i n) (If (f (Ix i row)) [i] (%find-index f row (Inc i) n))))
(defun (find-index f row) "The index of the first element that satisfies f, as [i]; else 0.
(find-index even [1 4 6])  => [1]" (%find-index f row 0 (Sz row)))
(defun (find f row) "The first element that satisfies f, as [x]; else 0.
(find even [1 4 6])  => [4]"
  (@ i (find-index f row))
  (And i [(Ix (Ix0 i) row)]))
(defun (index-of x row) "The index of the first element equal to x, as [i]; else 0.
(index-of 4 [1 4 4])  => [1]" (find-index (planEq x) row))
(defun (has x row) "1 if some element equals x (as a whole value), else 0.
(has 4 [1 4])  => 1" (Truth (index-of x row)))
(defun (any f row) "1 if f holds for some element, else 0.
(any even [1 2])  => 1" (Truth (find-index f row)))
(defun (all f row) "1 if f holds for every element, else 0.
(all even [2 4])  => 1" (Nil (find-index {x -> (Nil (f x))} row)))

(defun (%lower-bound f row from to)
  (@ mid (Rsh (Add from to) 1))
  (If (Ge from to) from
    (If (f (Ix mid row))
      (%lower-bound f row (Inc mid) to)
      (%lower-bound f row from mid))))
(defun (lower-bound x row)
  "In ascending naturals: the index of the first element not below x. O(log n).
(lower-bound 5 [2 4 6 8])  => 2"
  (%lower-bound {y -> (Lt y x)} row 0 (Sz row)))
(defun (binary-search x row) "In ascending naturals: the index of x, as [i]; else 0. O(log n).
(binary-search 6 [2 4 6 8])  => [2]"
  (@ i (lower-bound x row))
  (And (Lt i (Sz row)) (And (Eq x (Ix i row)) [i])))

;; Rows from rows

(defun (map f row) "The row of (f x) for each element.
(map Inc [1 2])  => [2 3]" (gen (Sz row) {i -> (f (Ix i row))}))
(defun (mapi f row) "The row of (f i x), i being the index.
(mapi Add [5 5])  => [5 6]" (gen (Sz row) {i -> (f i (Ix i row))}))
(defun (filter f row) "The elements that satisfy f.
(filter even [1 2 3 4])  => [2 4]" (array (lfilter f (stream row))))
(defun (partition f row) "[those that satisfy f, the others], both in order.
(partition even [1 2 3])  => [[2] [1 3]]"
  [(filter f row) (filter {x -> (Nil (f x))} row)])
(defun (reverse row) "The elements in reverse.
(reverse [1 2 3])  => [3 2 1]"
  (@ n (Sz row))
  (gen n {i -> (Ix (Sub n (Inc i)) row)}))
(defun (concat-map f row) "The rows (f x) one behind the other.
(concat-map (repeat 2) [1 2])  => [1 1 2 2]" (cat (map f row)))
(defun (zip-with f a b) "The row of (f x y) for the pairs; as long as the shorter one.
(zip-with Add [1 2] [10 20])  => [11 22]"
  (gen (min (Sz a) (Sz b)) {i -> (f (Ix i a) (Ix i b))}))
(defun (zip a b) "The row of pairs [x y]; as long as the shorter one.
(zip [1 2] [3 4])  => [[1 3] [2 4]]" (zip-with 0 a b))
(defun (chunk n row) "The row cut into rows of n elements; the last may be shorter. n is not 0.
(chunk 2 [1 2 3])  => [[1 2] [3]]"
  (gen (Div (Add (Sz row) (Dec n)) n) {i -> (slice row (Mul i n) (Mul (Inc i) n))}))
(defun (snoc row x) "x behind the last element. O(n).
(snoc [1 2] 3)  => [1 2 3]" (weld row [x]))
(defun (insert-at i x row) "x put in before index i; behind the last one if i is past the end.
(insert-at 1 9 [5 6])  => [5 9 6]" (cat [(slice row 0 i) [x] (slice row i (Sz row))]))
(defun (remove-at i row) "The row without element i.
(remove-at 1 [5 6 7])  => [5 7]" (weld (slice row 0 i) (slice row (Inc i) (Sz row))))
(defun (group-by same row)
  "Runs of neighbours for which (same x y) holds with the first of the run.
(group-by planEq [1 1 2])  => [[1 1] [2]]"
  (array (lmap array (lgroup-by same (stream row)))))
(defun (unique row) "Without elements that equal their left neighbour; sort first for a set.
(unique [1 1 2 1])  => [1 2 1]" (array (lunique (stream row))))

;; Sorting

(defun (sort-by less row) "The elements in the order of less; (less x y): x comes before y.
Merge sort: stable, O(n log n) comparisons.
(sort-by Gt [2 3 1])  => [3 2 1]"
  (Row 0 (Sz row) (%sort-run less 1 row 0 (Sz row))))
(defun (sort row) "Naturals in ascending order. O(n log n).
(sort [2 3 1])  => [1 2 3]" (sort-by Lt row))
(defun (sort-on key row) "Sorts by (key x), a natural computed once per element. Stable.
(sort-on (Sub 9) [2 3 1])  => [3 2 1]"
  (@ keyed (map {x -> (let ((k (key x))) (Seq k [k x]))} row))
  (map Ix1 (sort-by {a b -> (Lt (Ix0 a) (Ix0 b))} keyed)))
