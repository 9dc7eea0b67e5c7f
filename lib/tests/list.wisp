(require "std")
; Tests of the module list: edge cases, laziness, and a million elements.

(deftest making
  (= 0 NIL) (= ~[1 2] (CONS 1 (CONS 2 NIL))) (= ~[1 2] (lcons 1 (lcons 2 0)))
  (= 0 ~[]) (= [1 [2 [3 0]]] (~ [1 2 3])) (= [7 0] (lsing 7))
  (= 0 (lgen 0 Inc)) (= ~[1 2 3] (lgen 3 Inc)) (= 0 (lgenfrom 4 4 Inc))
  (= ~[4] (lgenfrom 3 4 Inc))
  (= ~[9 10] (ltake 2 (lenumFrom 9)))
  (= 0 (lrange 5 5)) (= 0 (lrange 6 5)) (= ~[0 1 2] (lrange 0 3))
  (= ~[7 7 7] (ltake 3 (lrepeat 7))) (= 0 (lrep 7 0)) (= ~[7 7] (lrep 7 2))
  (= ~[1 3 9] (ltake 3 (literate (Mul 3) 1)))
  (= 0 (lunfold {s -> 0} 5)) (= ~[5 4] (lunfold {n -> (And (Gt n 3) [n (Dec n)])} 5)))

(deftest folding
  (= 5 (lfoldl Add 5 0)) (= 0 (lfoldl Sub 3 ~[1 2])) (= [[[0 1] 2] 3] (lfoldl 0 0 ~[1 2 3]))
  (= 5 (lfoldr Add 5 0)) (= [1 [2 9]] (lfoldr 0 9 ~[1 2]))
  (= 1 (lfoldr {x rest -> x} 0 (lenumFrom 1)))
  (= [[0 7] [[1 8] 0]] (lfoldri {i x acc -> [[i x] acc]} 0 ~[7 8]))
  (= ~[1 3 6] (lscan Add 1 ~[2 3])) (= ~[0 1 3] (ltake 3 (lscan Add 0 (lenumFrom 1))))
  (= 0 (lsz 0)) (= 1000000 (lsz (lrange 0 1000000)))
  (= 499999500000 (lsum (lrange 0 1000000))) (= 120 (lproduct (lrange 1 6))) (= 1 (lproduct 0))
  (= 0 (lmaximum 0)) (= 9 (lmaximum ~[2 9 4])) (= 0 (lminimum 0)) (= 2 (lminimum ~[5 2 9]))
  (= 0 (lcount even 0)) (= 3 (lcount odd ~[1 2 3 4 5])) (= 0 (leach Inc ~[1 2])))

(deftest elements
  (= 7 (lnth 0 ~[7 8])) (= 0 (lnth 5 ~[7 8])) (= 0 (llast 0)) (= 8 (llast ~[7 8]))
  (= 999999 (llast (lrange 0 1000000)))
  (= 1 (lall even 0)) (= 0 (lall even ~[2 3])) (= 0 (lall {x -> (Lt x 5)} (lenumFrom 0)))
  (= 0 (lany even 0)) (= 0 (lany even ~[1 3])) (= 1 (lany {x -> [x]} (lenumFrom 0)))
  (= 0 (lfind even ~[1 3])) (= [0] (lfind even ~[1 0])) (= [6] (lfind (Lt 5) (lenumFrom 0)))
  (= 0 (lfind-index even 0)) (= [1] (lfind-index even ~[1 4 6]))
  (= 1 (lhas [1] ~[[2] [1]])) (= 0 (lhas [1] ~[1])))

(deftest transformed
  (= ~[2 3] (ltake 2 (lmap Inc (lenumFrom 1)))) (= 0 (lmap Inc 0))
  (= ~[7 9] (lmapi Add ~[7 8])) (= ~[[5 8] [6 9]] (lindy 5 ~[8 9]))
  (= ~[0 2 4] (ltake 3 (lfilter even (lenumFrom 0)))) (= 0 (lfilter even ~[1 3]))
  (= [~[2 4] ~[1 3]] (lpartition even ~[1 2 3 4]))
  (= 0 (lrev 0)) (= ~[3 2 1] (lrev ~[1 2 3])) (= ~[5] (lsnoc 0 5)) (= ~[1 5] (lsnoc ~[1] 5))
  (= 0 (lcat 0)) (= ~[1 2 3] (lcat ~[0 ~[1] 0 ~[2 3] 0]))
  (= ~[1 1 2 2] (ltake 4 (lconcat-map {x -> ~[x x]} (lenumFrom 1))))
  (= 0 (ltake 0 ~[1])) (= ~[1] (ltake 5 ~[1])) (= ~[1] (ldrop 0 ~[1])) (= 0 (ldrop 5 ~[1]))
  (= ~[2] (ldrop 1 ~[1 2])) (= 0 (ltakeWhile even ~[1 2])) (= ~[2] (ltakeWhile even ~[2 3 4]))
  (= ~[3 4] (ldropWhile even ~[2 3 4])) (= 0 (ldropWhile even ~[2]))
  (= [~[2] ~[3 4]] (lspan even ~[2 3 4]))
  (= 0 (lintersperse 0 0)) (= ~[1] (lintersperse 0 ~[1])) (= ~[1 0 2] (lintersperse 0 ~[1 2]))
  (= ~[11 22] (lzip-with Add ~[1 2] ~[10 20 30])) (= ~[[1 0] [2 1]] (lzip ~[1 2] (lenumFrom 0)))
  (= 0 (lchunk 0 ~[1])) (= ~[~[1 2] ~[3]] (lchunk 2 ~[1 2 3]))
  (= ~[~[1 3] ~[2] ~[5]] (lgroup-by {x y -> (Eq (odd x) (odd y))} ~[1 3 2 5]))
  (= 0 (lunique 0)) (= ~[1 2 1] (lunique ~[1 1 2 1 1]))
  (= 0 (array 0)) (= [1 2] (array ~[1 2])))

; Scattered numbers with many duplicates, and whether a list ascends.
(define scattered (lmap {i -> (Mod (Mul i 7919) 1009)} (lrange 0 20000)))
(defun (ascends l) (If (Ix1 l) (And (Le (Ix0 l) (Ix0 (Ix1 l))) (ascends (Ix1 l))) 1))

(deftest sorting
  (= 0 (lsort 0)) (= ~[1] (lsort ~[1])) (= ~[1 2 2 3] (lsort ~[2 3 1 2]))
  (ascends (lsort scattered)) (= (lsum scattered) (lsum (lsort scattered)))
  (= ~[[2 1] [1 0] [1 2] [0 3]]
     (lsort-by {a b -> (Gt (Ix0 a) (Ix0 b))} ~[[1 0] [2 1] [1 2] [0 3]])))
