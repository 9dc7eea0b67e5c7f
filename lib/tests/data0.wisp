(require "std")
; Types with several constructors.

(deftype Shape (CIRC Nat) (RECT Nat Nat) (NADA))
(deftype Many (A) (B) (C) (D) (E) (F) (G) (H) (I) (J) (K) (L))

(defun (area s)
  (union-switch s
    (CIRC (Mul 3 (.0 s)))
    (RECT (Mul (.0 s) (.1 s)))
    (NADA 0)))

(defun (many x)
  (union-switch x
    (B "b") (A "a") (C "c") (D "d") (E "e") (F "f") (G "g") (H "h") (I "i") (J "j") (K "k")
    (L "l")))

(deftest types
  (= [0 1 2] [CIRC RECT NADA])
  (= [(0 5) (1 2 3) 2] [(CIRC 5) (RECT 2 3) NADA])
  (= [15 6 0] [(area (CIRC 5)) (area (RECT 2 3)) (area NADA)])
  (= 9 (.2 [7 8 9]))
  (= ["a" "b" "d" "e" "h" "i" "l" "l"]
    [(many A) (many B) (many D) (many E) (many H) (many I) (many L) (many 99)])
  (= [1 5] (match (CIRC 5) (CIRC[r] [1 r]) (RECT[a b] [a b]) (NADA[] 0)))
  (= 0 (match NADA (CIRC[r] [1 r]) (RECT[a b] [a b]) (NADA[] 0))))

(deftest pairs
  (= [[1 3] [[2 4] 0]] (lzip [1 [2 0]] [3 [4 [5 0]]]))
  (= [[1 3] [2 4]] (zip [1 2] [3 4 5]))
  (= 0 (zip [] [1])))

(defmacro (thrown env form)
  [env (1 (xtry (eval env) (Ix1 form)))])

(deftest mistakes
  (= (17 ("expected-constructor-name" "P1")) (thrown (deftype S (P1 Nat))))
  (= (17 ("bad-type" (1 5))) (thrown (deftype 5 (PP Nat))))
  (= (17 ("unbound-constructor" "NOPE")) (thrown (union-switch 0 (NOPE 1))))
  (= (17 ("constructor-not-nat" "Add")) (thrown (union-switch 0 (Add 1))))
  (= (17 ("non-unique-constructors" [["A" (1 1)] [["A" (1 2)] 0]]))
    (thrown (union-switch 0 (A 1) (A 2))))
  (= (17 ("non-contiguous-constructors" [["B" (1 1)] 0])) (thrown (union-switch 0 (B 1))))
  (= (17 ("invalid-branch" ["B"])) (thrown (union-switch 0 (B))))
  (= (17 "empty switch") (thrown (union-switch 0))))
