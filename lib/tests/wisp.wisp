(require "std")
; Tests of the module wisp: environments, and the reader against the rules of the language.

(define env (mkenv ~[["m" 1 0] ["c" 2 1] ["x" 3 0] ["m" 4 0]]))
; What a text is read as, and the rest of it as a string.
(defun (read-one s) (@ r (read (lexplode s) 0)) [(Ix0 r) (limplode (Ix1 r))])
(defun (unreadable s) (@ r (xtry read-forms s)) [(Hd r) (Ix0 r)])

(deftest environments
  (= 4 (Ix1 (getenv "m" env))) (= 2 (Ix1 (getenv "c" env))) (= 0 (getenv "z" env))
  (= 0 (getenv "z" 0))
  (= 2 (getmacro env "c")) (= 0 (getmacro env "m")) (= 0 (getmacro env "z"))
  (= ["c" "m" "x"] (env-names env))
  (= ["a" 2 1 0 ["b" 1 0]] (putenv "b" 1 0 (putenv "a" 2 1 0)))
  (= ["a" 3 0 0 0] (putenv "a" 3 0 ["a" 2 1])) (= 7 (uncurry Add [3 4])))

(defun (evaluated s) (Ix1 (opeval env0 (Ix0 (read-forms s)))))

(deftest evaluating
  (= 5 (evaluated "5")) (= (1 2 3) (evaluated "(1 2 3)")) (= 7 (evaluated "((law (f x) x) 7)"))
  (= 1 (Hd (Ix1 (expo env0 '((law (f x) x)))))) (= [0 "a"] (expo 0 "a"))
  (= 1 (Hd (Ix0 (Ix1 (expo env0 '(((law (f x) x) 7)))))))
  (= (oldlaw 0 '((law (f x) x))) (oplaw 0 '((law (f x) x))))
  (= 5 (Ix1 (getenv "x" (Ix0 (opdefine 0 env0 '((def x 5))))))) (= 0 (repl env0 0))
  (= ["def" "Pin" "law" "eval" "macro" "__REPL"] (env-names env0)))

(deftest reading
  (= ["a" " b"] (read-one "a b")) (= [(1 12) ""] (read-one "0012"))
  (= [(1 "two words") "x"] (read-one (str-concat [34 "two words" 34 "x"])))
  (= [0 ""] (read-one "()")) (= [["a" ["b" "c"]] ")"] (read-one "(a (b c)))"))
  (= [["BRACED" ["a"]] ""] (read-one "[a]"))
  (= [["CURLED" 0] ""] (read-one "{ }")) (= [["f" ["x"]] ""] (read-one "f(x)"))
  (= [[(1 5) ["BRACED" [["f" ["x"]]]]] ""] (read-one "5[f(x)]"))
  (= ["-1a" ";b"] (read-one " ; c
-1a;b")) (= [(1 "") ""] (read-one (strWeld 34 34)))
  (= (utf8-encode 228) (Ix0 (read-one (utf8-encode 228)))))

(deftest many
  (= 0 (read-forms " ; nothing")) (= [[["a" ["b"]]] "c" (1 5)] (read-forms "(a(b)) c 5"))
  (= ["ReadErr" ("unexpected" 41)] (unreadable "a )"))
  (= ["ReadErr" ("unexpected" 93)] (unreadable "(a]"))
  (= ["ReadErr" ("unexpected" 0)] (unreadable "(a"))
  (= ["ReadErr" ("unexpected" 127)] (unreadable 127))
  (= 1 (Sz (read-forms (strWeld (str-repeat 100000 "(") (str-repeat 100000 ")"))))))
