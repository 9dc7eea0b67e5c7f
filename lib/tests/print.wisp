(require "std")
; Tests of the module print; print.out beside this file says what print writes.

(define long (gen 30 {i -> [i (Mul 1000 i)]}))

(deftest forms
  (= (1 5) (planWisp 0 5)) (= ["BRACED" [(1 1) "Inc"]] (planWisp 0 [1 Inc]))
  (= [(1 3) (1 4)] (planWisp 0 (3 4))) (= ["Pin" (1 7)] (planWisp 0 (Pin 7)))
  (= ["CURLED" [(1 "f") (1 1) ".."]] (planWisp 0 {f a => a}))
  (= ["CURLED" [(1 "f") (1 1) (1 1)]] (planWisp 1 {f a => a})))

(deftest lines
  (= "()" (wispShow 1 0)) (= "abc" (wispShow 1 "abc")) (= "5" (wispShow 1 (1 5)))
  (= "(f 3 ())" (wispShow 1 ["f" (1 3) 0])) (= "[a b]" (wispShow 1 ["BRACED" ["a" "b"]]))
  (= "{}" (wispShow 1 ["CURLED" 0])) (= "#Inc" (wispShow 0 (1 Inc)))
  (= "0" (show 0)) (= "65" (show 65)) (= "9000" (show 9000))
  (= "[0 [1] (3 4)]" (show [0 [1] (3 4)]))
  (= "~[1 2 3]" (show ~[1 2 3])) (= "[1 [2 0]]" (show ~[1 2]))
  (= "[1 [2 [3 4]]]" (show [1 [2 [3 4]]]))
  (= "~[~[1 2 3] [4] 5 6]" (show [~[1 2 3] ~[[4] 5 6]]))
  (= "(Add 2)" (show (Add 2))) (= "{0 2 ..}" (show {a b -> b}))
  (= (str-concat [34 "ab" 34]) (show "ab"))
  (= (str-concat ["(text " 34 "a\qb\\cd" 34 ")"]) (show (str-concat ["a" 34 "b\cd"])))
  (= "8388607" (show-nat-or-str 8388607))
  (= (strWeld 34 (strWeld "a b c" 34)) (show-nat-or-str "a b c"))
  (= (show long) (wispShow 0 (planWisp 0 long))))

(deftest pretty
  (= "(f x)" (wispPretty 1 ["f" "x"])) (= 30 (Sz (str-lines (wispPretty 0 (planWisp 0 long)))))
  (= [long] (let ((form (Ix0 (read-forms (wispPretty 0 (planWisp 0 long))))))
     [(map {x -> (map Ix0 (Ix1 x))} (Ix1 form))])))

(defmacro (environment env form) [env (1 env)])
(define deep-list (Force (lrange 0 100000)))
(define nested (Force (foldl {x i -> [x]} 5 (range 0 100000))))

(deftest depth
  (= 200001 (Bytes (show nested))) (= 48892 (Bytes (show (lrange 0 10000))))
  (= 400001 (Bytes (show (Force (foldl {x i -> [1 x]} 5 (range 0 100000))))))
  (= 100000 (Sz (str-lines (wispPretty 0 (planWisp 0 deep-list)))))
  (= (lrange 0 1000)
     (Ix1 (opeval (environment) (Ix0 (read-forms (show (lrange 0 1000))))))))

(deftest printing
  (= 0 (print [1 "ab" Inc])) (= 0 (print-sexpr ["f" ["BRACED" ["a" (1 5)]]]))
  (= 0 (print (repeat 3 (Pow 10 30)))))
