(require "std")
; Tests of the module store where there is no image: nothing is kept, everything else works.

; A step that counts, and whose result says which number came before.
(defun (step n args) [(if args 0 (Inc n)) n])
(define main (stateful step 5))

(deftest without-an-image
  (= [1 2] (commit [1 2])) (= 5 (commit (Add 2 3))) (= 5 (precommit 5))
  (= (Pin [1]) (precommit (Pin [1])))
  (= [1] (save {a b -> 0} [1])) (= 5 (main 0)) (= 5 (main 0)) (= 5 (main ["reset"]))
  (= 6 (stateful {s args -> [s (Ix0 args)]} [1] [6])))

; The state comes first, then the result; an exception in the step comes before both.
(deftest order
  (= ("Oh" 1) (xtry (stateful {s args -> ((Pin "Oh") 1)} 0) 0))
  (= ("State" 1) (xtry (stateful {s args -> [((Pin "State") 1) ((Pin "Result") 2)]} 0) 0))
  (= ("Result" 2) (xtry (stateful {s args -> [7 ((Pin "Result") 2)]} 0) 0)))
