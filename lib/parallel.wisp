(require "row")
; Parallel evaluation: the elements of a row on all processors.
;
; Invariants:
; - results, exceptions and effects are those of evaluation in order on one thread;
; - what is passed in is evaluated completely, and so are the results;
; - an application with an effect is left to the calling thread, and so are those after it: effects
;   cost the gain.

(%op "ParMap" ParMap f row
"The row of f applied to each element of row, evaluated completely, on all processors.
(ParMap {x -> (Mul x x)} [1 2 3])  => [1 4 9]")

(defun (par-map f row) "ParMap under the name of its kind: map, on all processors.
(par-map Inc [1 2 3])  => [2 3 4]" (ParMap f row))
(defun (par-gen n f) "gen on all processors: the row of (f 0) to (f (n-1)).
(par-gen 3 (Mul 2))  => [0 2 4]" (ParMap f (range 0 n)))
(defun (par-fold f z g row)
  "(foldl f z (map g row)), where g is applied on all processors and f on one.
(par-fold Add 0 {x -> (Mul x x)} [1 2 3])  => 14" (foldl f z (ParMap g row)))
(defun (par-both f a g b) "[(f a) (g b)], evaluated side by side.
(par-both Inc 1 Dec 9)  => [2 8]" (ParMap {i -> (If i (g b) (f a))} [0 1]))
