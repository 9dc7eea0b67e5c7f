(require "std")
; Forms as values.

(deftest quotes
  (= "a" '(a))
  (= ["a" "b"] '((a b)))
  (= (1 5) '(5))
  (= ["BRACED" ["a"]] '([a])))

(deftest quasi-quotes
  (= ["a" 5 6 (1 "s") (1 3)] (let ((x 5)) `(a ,x ,(Add x 1) "s" 3)))
  (= [0 1 2 3 "b"] (let ((x [1 2 3])) `(() ,@x b)))
  (= ["a" 7 8 "b" 9] `(a ,@[7 8] b ,@(weld [9] 0)))
  (= [1 2] (let ((x [1 2])) `(,@x)))
  (= [["a" [5]] "b"] (let ((x 5)) `((a (,x)) b)))
  (= ["BRACED" ["a" 5]] (let ((x 5)) `[a ,x]))
  (= '((a b)) `(a b))
  (= 0 `()))

(deftest nested-quasi-quotes
  (= '((a `(b ,x))) `(a `(b ,x)))
  (= ["a" ["`" ["b" ["," [4 "k"]]]]] (let ((x 4)) `(a `(b ,(,x k)))))
  (= ["a" ["`" ["b" ["," 4]]]] (let ((x 4)) `(a `(b ,,x)))))

; A macro with a quasi-quotation.
(defmacro (swap env form)
  [env `(let ((a ,(Ix1 form)) (b ,(Ix2 form))) [b a])])
(deftest in-a-macro
  (= [2 1] (swap 1 2)))
