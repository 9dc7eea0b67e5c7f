(require "lambda")
; Lists: chains of rows [x rest] that end with 0. They may be lazy and infinite.
;
; Invariants:
; - a function that gives a list computes no more of it than is asked for, unless its text says
;   otherwise; one that gives anything else walks the list with an accumulator, so a million
;   elements need no depth;
; - names start with l; predicates give 0 for no and anything else for yes;
; - "maybe" results are [x], or 0 for nothing.

(define NIL "The empty list, 0." 0)
(define CONS "The head of list cells, 0: (CONS x rest) is the list of x before rest.
(CONS 1 (CONS 2 NIL))  => ~[1 2]" 0)
(define lcons "Puts x before a list, as CONS does.
(lcons 1 ~[2 3])  => ~[1 2 3]" 0)
(define ~ "The elements of a row as a list; ~[1 2 3] writes a list.
~[1 2]  => [1 [2 0]]" stream)

;; Making lists

(defun (lsing x) "The list of x alone.
(lsing 7)  => ~[7]" [x 0])

(defun (lgenfrom i n f) "The list of (f i), (f (i+1)) up to (f (n-1)).
(lgenfrom 2 4 Inc)  => ~[3 4]"
  (Seq i (And (Lt i n) [(f i) (lgenfrom (Inc i) n f)])))

(defun (lgen n f) "The list of (f 0) to (f (n-1)).
(lgen 3 (Mul 2))  => ~[0 2 4]"
  (lgenfrom 0 n f))

(defun (lenumFrom n) "The infinite list of n, n+1, n+2 ...
(ltake 3 (lenumFrom 5))  => ~[5 6 7]"
  (Seq n [n (lenumFrom (Inc n))]))

(defun (lrange a b) "The numbers from a up to, not including, b.
(lrange 2 5)  => ~[2 3 4]"
  (lgenfrom a b id))

(defun (lrepeat x) "The infinite list of x.
(ltake 2 (lrepeat 7))  => ~[7 7]"
  [x (lrepeat x)])

(defun (lrep x n) "The list of n times x.
(lrep 7 3)  => ~[7 7 7]"
  (And n [x (lrep x (Dec n))]))

(defun (literate f x) "The infinite list of x, (f x), (f (f x)) ...
(ltake 4 (literate (Mul 2) 1))  => ~[1 2 4 8]"
  [x (literate f (f x))])

(defun (lunfold f s) "Grows a list from a state: (f s) gives [x next] to go on, or 0 at the end.
(lunfold {n -> (And n [n (Dec n)])} 3)  => ~[3 2 1]"
  (@ step (f s))
  (And step [(Ix0 step) (lunfold f (Ix1 step))]))

;; Folding

(defun (lfoldl f z l)
  "Folds from the left, (f (f z x1) x2) ...; results are evaluated as they arise.
(lfoldl Sub 10 ~[1 2 3])  => 4"
  (Ifz l z
    (let ((next (f z (Ix0 l))))
      (Seq next (lfoldl f next (Ix1 l))))))

(defun (lfoldr f z l) "Folds from the right, (f x1 (f x2 ... z)); lazy if f is.
(lfoldr Sub 1 ~[9 5 3])  => 6"
  (Ifz l z (f (Ix0 l) (lfoldr f z (Ix1 l)))))

(defun (%lfoldri f z l i)
  (Seq i (Ifz l z (f i (Ix0 l) (%lfoldri f z (Ix1 l) (Inc i))))))
(defun (lfoldri f z l) "Folds from the right with positions, (f 0 x1 (f 1 x2 ... z)).
(lfoldri {i x acc -> [[i x] acc]} 0 ~[7 8])  => ~[[0 7] [1 8]]"
  (%lfoldri f z l 0))

(defun (lscan f z l) "The list of z, (f z x1), (f (f z x1) x2) ...: the states of lfoldl.
(lscan Add 0 ~[1 2 3])  => ~[0 1 3 6]"
  [z (And l (lscan f (f z (Ix0 l)) (Ix1 l)))])

(defun (%lsz l n) (Seq n (Ifz l n (%lsz (Ix1 l) (Inc n)))))
(defun (lsz l) "The number of elements.
(lsz ~[7 8 9])  => 3" (%lsz l 0))

(defun (lsum l) "The sum of the elements.
(lsum ~[1 2 3])  => 6" (lfoldl Add 0 l))
(defun (lproduct l) "The product of the elements.
(lproduct ~[2 3 4])  => 24" (lfoldl Mul 1 l))
(defun (lmaximum l) "The greatest element, 0 for the empty list.
(lmaximum ~[2 9 4])  => 9" (lfoldl max 0 l))
(defun (lminimum l) "The least element, 0 for the empty list.
(lminimum ~[5 2 9])  => 2" (And l (lfoldl min (Ix0 l) (Ix1 l))))

(defun (%lcount f l n)
  (Seq n (Ifz l n (%lcount f (Ix1 l) (If (f (Ix0 l)) (Inc n) n)))))
(defun (lcount f l) "How many elements satisfy f.
(lcount even ~[1 2 4])  => 2" (%lcount f l 0))

(defun (leach f l) "Evaluates (f x) for each element in order; gives 0. For effects.
(leach Inc ~[1 2])  => 0"
  (And l (Seq (f (Ix0 l)) (leach f (Ix1 l)))))

;; Elements

(defun (%lnth i l) (Ifz i (Ix0 l) (%lnth (Dec i) (Ix1 l))))
(defun (lnth i l) "Element i, counted from 0; 0 past the end. O(i).
(lnth 1 ~[7 8 9])  => 8" (%lnth i l))

(defun (llast l) "The last element, 0 for the empty list. O(n).
(llast ~[7 8 9])  => 9" (Ifz (Ix1 l) (Ix0 l) (llast (Ix1 l))))

(defun (lall f l) "1 if f holds for every element, else 0.
(lall even ~[2 4])  => 1"
  (Ifz l 1 (And (Truth (f (Ix0 l))) (lall f (Ix1 l)))))
(defun (lany f l) "1 if f holds for some element, else 0.
(lany even ~[1 2])  => 1"
  (And l (If (f (Ix0 l)) 1 (lany f (Ix1 l)))))
(defun (lfind f l) "The first element that satisfies f, as [x]; 0 if none does.
(lfind even ~[1 4 6])  => [4]"
  (And l (If (f (Ix0 l)) [(Ix0 l)] (lfind f (Ix1 l)))))

(defun (%lfind-index f l i)
  (Seq i (And l (If (f (Ix0 l)) [i] (%lfind-index f (Ix1 l) (Inc i))))))
(defun (lfind-index f l) "The position of the first element that satisfies f, as [i]; else 0.
(lfind-index even ~[1 4])  => [1]" (%lfind-index f l 0))
(defun (lhas x l) "1 if some element equals x (as a whole value), else 0.
(lhas 8 ~[7 8])  => 1" (lany (planEq x) l))

;; Lists from lists

(defun (lmap f l) "The list of (f x) for each element.
(lmap Inc ~[1 2])  => ~[2 3]"
  (And l [(f (Ix0 l)) (lmap f (Ix1 l))]))

(defun (%lmapi f l i)
  (Seq i (And l [(f i (Ix0 l)) (%lmapi f (Ix1 l) (Inc i))])))
(defun (lmapi f l) "The list of (f i x), i being the position.
(lmapi Add ~[5 5])  => ~[5 6]" (%lmapi f l 0))
(defun (lindy i l) "The list of [i x], [i+1 y] ...: elements with numbers from i.
(lindy 5 ~[8 9])  => ~[[5 8] [6 9]]"
  (And l (Seq i [[i (Ix0 l)] (lindy (Inc i) (Ix1 l))])))

(defun (lfilter f l) "The elements that satisfy f.
(lfilter even ~[1 2 3 4])  => ~[2 4]"
  (And l (If (f (Ix0 l))
           [(Ix0 l) (lfilter f (Ix1 l))]
           (lfilter f (Ix1 l)))))

(defun (lpartition f l) "[those that satisfy f, the others], both in order.
(lpartition even ~[1 2 3])  => [~[2] ~[1 3]]"
  [(lfilter f l) (lfilter {x -> (Nil (f x))} l)])

; Up keeps an element that is not evaluated as it is, where [(Ix0 l) acc] would add a cell for it.
(defun (%lrev l acc)
  (@ cell (Up 1 acc l))
  (Ifz l acc (Seq cell (%lrev (Ix1 l) cell))))
(defun (lrev l) "The elements in reverse.
(lrev ~[1 2 3])  => ~[3 2 1]" (%lrev l 0))

(defun (lsnoc l x) "x behind the last element. O(n).
(lsnoc ~[1 2] 3)  => ~[1 2 3]" (lweld l [x 0]))

(defun (lcat ls) "One list of the elements of a list of lists.
(lcat ~[~[1] 0 ~[2 3]])  => ~[1 2 3]" (lfoldr lweld 0 ls))
(defun (lconcat-map f l) "The lists (f x) one behind the other.
(lconcat-map (lrep 7) ~[1 2])  => ~[7 7 7]" (lcat (lmap f l)))

(defun (ltake n l) "The first n elements, fewer if there are no more.
(ltake 2 ~[1 2 3])  => ~[1 2]"
  (And n (And l [(Ix0 l) (ltake (Dec n) (Ix1 l))])))
(defun (ldrop n l) "The list without its first n elements.
(ldrop 2 ~[1 2 3])  => ~[3]"
  (Ifz n l (And l (ldrop (Dec n) (Ix1 l)))))
(defun (ltakeWhile f l) "The elements before the first that does not satisfy f.
(ltakeWhile even ~[2 4 5 6])  => ~[2 4]"
  (And l (And (f (Ix0 l)) [(Ix0 l) (ltakeWhile f (Ix1 l))])))
(defun (ldropWhile f l) "The elements from the first that does not satisfy f.
(ldropWhile even ~[2 4 5 6])  => ~[5 6]"
  (And l (If (f (Ix0 l)) (ldropWhile f (Ix1 l)) l)))
(defun (lspan f l) "[ltakeWhile f, ldropWhile f].
(lspan even ~[2 3 4])  => [~[2] ~[3 4]]" [(ltakeWhile f l) (ldropWhile f l)])

(defun (%linter sep l) (And l [sep [(Ix0 l) (%linter sep (Ix1 l))]]))
(defun (lintersperse sep l) "sep between neighbours.
(lintersperse 0 ~[1 2 3])  => ~[1 0 2 0 3]"
  (And l [(Ix0 l) (%linter sep (Ix1 l))]))

(defun (lzip-with f a b) "The list of (f x y) for the pairs; as long as the shorter one.
(lzip-with Add ~[1 2] ~[10 20])  => ~[11 22]"
  (And a (And b [(f (Ix0 a) (Ix0 b)) (lzip-with f (Ix1 a) (Ix1 b))])))
(defun (lzip a b) "The list of pairs [x y]; as long as the shorter one.
(lzip ~[1 2] ~[3 4])  => ~[[1 3] [2 4]]" (lzip-with 0 a b))

(defun (lchunk n l) "The list cut into lists of n elements; the last may be shorter.
(lchunk 2 ~[1 2 3])  => ~[~[1 2] ~[3]]"
  (And n (And l [(ltake n l) (lchunk n (ldrop n l))])))

(defun (lgroup-by same l)
  "Runs of neighbours for which (same x y) holds with the first of the run.
(lgroup-by planEq ~[1 1 2])  => ~[~[1 1] ~[2]]"
  (And l (let ((rest (lspan (same (Ix0 l)) (Ix1 l))))
           [[(Ix0 l) (Ix0 rest)] (lgroup-by same (Ix1 rest))])))

(defun (lunique l) "Without elements that equal their left neighbour; sort first for a set.
(lunique ~[1 1 2 1])  => ~[1 2 1]" (lmap Ix0 (lgroup-by planEq l)))

;; Rows and lists

(defun (array l) "The elements of a list as a row.
(array ~[1 2])  => [1 2]" (Row 0 (lsz l) l))

;; Sorting: merge sort that alternates between ascending and descending runs, so that each merge
;; is a loop that puts its result in front (Knuth, The Art of Computer Programming 3, 5.2.4).
;; `up` is 1 when the result is to ascend; then the runs to merge descend.

(defun (%merge less up a b out)
  (@ x (Ix0 a))
  (@ y (Ix0 b))
  (Ifz a (%lrev b out)
    (Ifz b (%lrev a out)
      (Seq x (Seq y
        (If (Eq up (Truth (less y x)))
          (%merge less up (Ix1 a) b [x out])
          (%merge less up a (Ix1 b) [y out])))))))

(defun (%sort-run less up row from n)
  (If (Lt n 2) (And n [(Ix from row) 0])
    (let* ((half (Rsh n 1))
           (a    (%sort-run less (Nil up) row from half))
           (b    (Seq a (%sort-run less (Nil up) row (Add from half) (Sub n half)))))
      (Seq b (%merge less up a b 0)))))

(defun (lsort-by less l) "The elements in the order of less; (less x y): x comes before y.
Evaluates the elements. Stable; O(n log n) comparisons.
(lsort-by Gt ~[2 3 1])  => ~[3 2 1]"
  (@ row (array l))
  (%sort-run less 1 row 0 (Sz row)))
(defun (lsort l) "Naturals in ascending order. O(n log n).
(lsort ~[2 3 1])  => ~[1 2 3]" (lsort-by Lt l))
