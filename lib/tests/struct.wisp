(require "std")
; Records.

(defstruct Pt PT (x Nat) (y Nat))
(defstruct Big BIG (a0 N) (a1 N) (a2 N) (a3 N) (a4 N) (a5 N) (a6 N) (a7 N) (a8 N))

(deftest records
  (= [3 4] (PT 3 4))
  (= [3 4] (let ((p (PT 3 4))) [(.x p) (.y p)]))
  (= [3 9] (y= 9 (PT 3 4)))
  (= [9 4] (x= 9 (PT 3 4)))
  (= [7 8] (let ((b (BIG 0 1 2 3 4 5 6 7 8))) [(.a7 b) (.a8 b)]))
  (= 0 (defstruct Empty EMPTY)))

; What is wrong is thrown.
(defmacro (thrown env form)
  [env (1 (xtry (eval env) (Ix1 form)))])
(deftest mistakes
  (= (17 ("bad-cnstr" "Pt")) (thrown (defstruct Pt Pt (x Nat))))
  (= (17 ("bad-fields" ["x" 0])) (thrown (defstruct Pt PT x))))
