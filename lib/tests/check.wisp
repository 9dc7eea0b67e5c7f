(require "std")
; Tests that test tests.

(deftest passes
  (= 1 1)
  (= [1 2] [1 (Add 1 1)])
  (Eq 1 1))

(define deep (weld [1 2 3] (Rep 0 7 200)))

(deftest texts
  (= "5" (%show 5))
  (= "120" (%show "x"))
  (= "%ab" (%show "ab"))
  (= (Add 34 (Lsh (Add "a-b" (Lsh 34 24)) 8)) (%show "a-b"))
  (= "9223372036854775807" (%show (Dec (Bex 63))))
  (= "0x8000000000000000" (%show (Bex 63)))
  (= "0xff00000000000000ab" (%show (Add 171 (Lsh 255 64))))
  (= "[1 [%ab 0] 3[4]]" (%show [1 ["ab" 0] (3 4)]))
  (= "Add[1]" (%show (Add 1)))
  (= "#5" (%show (Pin 5)))
  (= "0(1)" (%show {x -> x}))
  (= "foo(1)" (%show {foo x => x})))

; What a failing test throws: text and form.
(defmacro (thrown env form) [env (1 (xtry (eval env) (Ix1 form)))])
(defun (text-of r) (Ix0 (Ix0 r)))

(deftest failures
  (= ("Failed" ["expected 1, got 2" ["=" (1 1) (1 2)]]) (thrown (deftest a (= 1 2))))
  (= ("Failed" ["expected 1, got 0" ["Eq" (1 1) (1 2)]]) (thrown (deftest a (= 1 1) (Eq 1 2))))
  (= "expected [1 %ab], got 7[2]" (text-of (thrown (deftest a (= [1 "ab"] (7 2))))))
  (= 1 (Lt (Bytes (text-of (thrown (deftest a (= 1 deep))))) 240))
  (= "deftest needs (deftest name check ...)" (text-of (thrown (deftest)))))
