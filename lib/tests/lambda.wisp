(require "std")
; Functions, let, choice, sequence, patterns.

(deftest functions
  (= 3 ((lambda [a b] (Add a b)) 1 2))
  (= 55 ((lambda (f n) (if n (Add n (f (Dec n))) 0)) 10))
  (= 1 (IsLaw {a b -> a}))
  (= 1 (IsPin {a b --> a}))
  (= "foo" (Name {foo a b => a}))
  (= "foo" (Name (Unpin {foo a b ==> a})))
  (= 1 (IsPin (pin-lambda [a] a)))
  (= 120 ((pin-lambda (f n) (if n (Mul n (f (Dec n))) 1)) 5))
  (= [1 2 3] ({[a b] _ c -> [a b c]} [1 2] 0 3))
  (= [1 2 [1 2]] ({both[a b] -> [a b both]} [1 2]))
  (= 3 ({[_ [a]] -> a} [1 [3]]))
  (= 6 ({a . (Mul 2 a)} 3))
  (= 8 ({a (Mul 2 a)} 4)))

(defun (adder a b) "Closures." {x -> (Add a (Add b x))})
(defun (curried a) {b -> {c -> [a b c]}})
(defun (fact n) (if n (Mul n (fact (Dec n))) 1))
(defun (later n) "With bindings." (@ b (Inc a)) (@ a (Inc n)) [a b])
(defun (unpack [a b] n[c _]) (@ [d e] n) [a b c d e n])
(defun (self-inside n) {k -> (if k (self-inside k 0) n)})
(define answer "Known." (let ((x 6)) (Mul 7 x)))
(define plain 5)
(define (double x) "Twice x." (Add x x))
(define (triple x) (Mul 3 x))

(deftest definitions
  (= 6 (adder 1 2 3))
  (= [1 2 3] (curried 1 2 3))
  (= 2432902008176640000 (fact 20))
  (= [2 3] (later 1))
  (= [1 2 3 3 4 [3 4]] (unpack [1 2] [3 4]))
  (= 5 (self-inside 7 5))
  (= [42 5 8 9] [answer plain (double 4) (triple 3)])
  (= ["Closures." "Known." "Twice x." "With bindings."]
    (let ((doc {name -> (Ix1 (%find name __DOC))}))
      [(doc "adder") (doc "answer") (doc "double") (doc "later")]))
  (= [1 "fact" 1] [(IsPin fact) (Name (Unpin fact)) (Arity (Unpin fact))]))

(defmacro (unless-zero env form) "A macro." [env [(1 If) (Ix1 form) (Ix2 form) (1 0)]])
(defun (use-macro x) (unless-zero x [x x]))
(defun (shadow-macro unless-zero x) (unless-zero x))
; A local name that was a macro, in every place where one can be.
(defun (shadows if) (let ((when {x -> (if x)})) (letrec ((cond {x -> (when x)})) (cond 4))))
(deftest macros
  (= [[3 3] 0] [(use-macro 3) (use-macro 0)])
  (= 5 (shadow-macro Inc 4))
  (= 5 (shadows Inc)))

(define (*(doubled) f x) (f (f x)))
(deftest marks
  (= 5 (doubled Inc 3))
  (= 4 (* (Inc 3)))
  (= ("Inc" Inc) #(Inc))
  (= Inc (Ix1 (%find "Inc" (get-current-environment)))))

; A function that has the name of a macro so far.
(defun (unless-zero n) (if n (unless-zero (Dec n)) "done"))
(deftest names-of-macros
  (= "done" (unless-zero 3))
  (= "unless-zero" (Name (Unpin unless-zero))))

(deftest lets
  (= 7 (let ((x 3) (y 4)) (Add x y)))
  (= 1 (let ((x 1)) (let ((x 2) (y x)) y)))
  (= 2 (let ((x 1)) (Add (let ((x 2)) 0) (let ((x 2)) x))))
  (= [3 3] (let* ((x 3) (y x)) [x y]))
  (= 2 (let* ((x 1) (x (Inc x))) x))
  (= 3 (let (([a b] [1 2])) (Add a b)))
  (= [1 2 [1 2]] (let ((p[a b] [1 2])) [a b p]))
  (= 4 (let ((_ 3)) 4))
  (= 9 (let ((f {x -> (Mul x x)})) (f 3)))
  (= 5 (let () 5))
  (= [1 2 1 2]
    (letrec ((x [1 y]) (y [2 x])) [(Ix0 x) (Ix0 y) (Ix0 (Ix1 y)) (Ix0 (Ix1 x))])))

(defun (parity k n)
  (letrec
    ((even {n -> (if n (odd (Dec n)) [k "even"])})
     (odd {n -> (if n (even (Dec n)) [k "odd"])}))
    (even n)))
(defun (sum-below n)
  (letrec ((go {i acc -> (if (Eq i n) acc (go (Inc i) (Add i acc)))})) (go 0 0)))
(defun (tree-of n)
  (letrec
    ((leaf {x -> [x n]})
     (tree {d -> (if d (let ((t (tree (Dec d)))) [t (leaf d) more]) (leaf 0))})
     (more (leaf 9)))
    (tree 2)))
(defun (inner-calls n)
  (letrec ((count {k -> (if k ({j -> (Inc (count j))} (Dec k)) n)})) (count 3)))

(deftest recursion
  (= [[7 "even"] [7 "odd"]] [(parity 7 10) (parity 7 11)])
  (= 4950 (sum-below 100))
  (= [[[0 5] [1 5] [9 5]] [2 5] [9 5]] (tree-of 5))
  (= 13 (inner-calls 10))
  (= [1 0]
    (letrec ((even {n -> (if n (odd (Dec n)) 1)}) (odd {n -> (if n (even (Dec n)) 0)}))
      [(even 10) (odd 10)])))

(deftest choices
  (= [1 2] [(if 5 1 2) (if 0 1 2)])
  (= 1 (if 1 1 (Error "not evaluated")))
  (= [7 0] [(when 1 7) (when 0 7)])
  (= [0 7] [(unless 1 7) (unless 0 7)])
  (= [1 5 0 3] [(and) (and 5) (and 1 0 (Error "not evaluated")) (and 1 2 3)])
  (= [0 5 2 0] [(or) (or 5) (or 0 2 (Error "not evaluated")) (or 0 0 0)])
  (= [1 0 0] [(not 0) (not 5) (not [0])])
  (= [1 2 3]
    (let ((f {x -> (cond ((Lt x 5) 1) ((Lt x 9) 2) (else 3))})) [(f 4) (f 5) (f 9)]))
  (= [1 2 2 3 4 4]
    (let ((f {x -> (case x (5 1) ((6 7) 2) ("abc" 3) (else 4))}))
      [(f 5) (f 6) (f 7) (f "abc") (f 0) (f [5])]))
  (= [1 2 2] (let ((f {x -> (case x (0 1) (else 2))})) [(f 0) (f 1) (f [0])])))

(deftest sequences
  (= 3 (do 1 2 3))
  (= 4 (do (<- x 3) (Inc x)))
  (= [1 2] (do (<- [a b] [2 1]) (<- _ 5) [b a]))
  (= (17 "first") (xtry {x -> (do (Error "first") (Error x))} "second"))
  (= (17 "first") (xtry {x -> (do (<- y (Error "first")) (Error x))} "second")))

(define Tag "tag")
(defun (shape x)
  (match x
    (0 "zero")
    ("abc" "text")
    ([] "never")
    ([a] [a a])
    (3[x y] (Add x y))
    (Tag[x] ["tagged" x])
    ([a [b c]] [a b c])
    ([1 _] "one")
    (n (if (IsNat n) "number" "other"))))

(deftest matches
  (= ["zero" "text" [4 4] 9 ["tagged" 2] [1 2 3] "one" "number" "other"]
    [(shape 0) (shape "abc") (shape [4]) (shape (3 4 5)) (shape ("tag" 2)) (shape [1 [2 3]])
      (shape [1 2]) (shape 12) (shape (5 6))])
  (= 5 (match 5 (0 1) (else 5)))
  (= (17 ("no-match" 3)) (xtry {x -> (match x (0 1))} 3))
  (= [[3 4] 1] [(match [3 4] (r r) (_ 1)) (match 5 (6 0) (_ 1))]))

; Macros that do not what a macro does.
(defmacro (itself env form) [env form])
(defmacro (no-row env form) 5)
(macro number 5)
; A definition inside a function defines for everybody, when the function is compiled.
(defun (defines x) (Add x (def inside 5)))
(deftest inside-definitions
  (= [8 5] [(defines 3) inside]))

; The text with which a form is refused.
(defmacro (refused env form)
  [env (1 (Ix0 (Ix0 (xtry (eval env) (Ix1 form)))))])

(define bad-pattern "a pattern is a name, _, [p ...] or name[p ...]")
(define bad-function "a function is written {a b -> body} or {name a b => body}")
(define bad-lambda "lambda needs (lambda (name arg ...) body) or (lambda [arg ...] body)")
(define twice "x is bound twice here")

(deftest mistakes
  (= "let needs (let ((name expr) ...) body)" (refused (let ((x 3)))))
  (= "a binding is (name expr)" (refused (let (x 3) x)))
  (= "a binding is (name expr)" (refused (let ((x)) x)))
  (= bad-pattern (refused (let ((5 3)) 4)))
  (= bad-pattern (refused {(a b) -> a}))
  (= twice (refused (let ((x 3) (x 4)) x)))
  (= twice (refused (letrec ((x {a -> a}) (x 4)) x)))
  (= twice (refused (lambda (f x x) x)))
  (= "a is bound twice here" (refused {[a b] a -> a}))
  (= bad-function (refused {}))
  (= bad-function (refused {-> 3}))
  (= bad-lambda (refused (lambda (f) x)))
  (= bad-lambda (refused (lambda x x)))
  (= "only (@ name expr) may stand before the one body; (do a b) makes steps"
    (refused (lambda (f x) x x)))
  (= "a function has at least one argument; (define name expr) defines a value"
    (refused (defun (f) 3)))
  (= "defun needs (defun (name arg ...) body)" (refused (defun (f x))))
  (= "defmacro needs (defmacro (name env form) body)" (refused (defmacro f 3)))
  (= "define needs (define name expr) or (define (name arg ...) body)" (refused (define x)))
  (= "macro expansion does not end" (refused {x -> (itself x)}))
  (= "this macro did not return [env form]" (refused {x -> (no-row x)}))
  (= "this macro is not a function" (refused {x -> (number x)}))
  (= "if needs (if condition then else); when has no else" (refused (if 1 2)))
  (= "when needs (when condition expr)" (refused (when 1)))
  (= "unless needs (unless condition expr)" (refused (unless 1)))
  (= "the last clause must be (else expr)" (refused (cond (1 2))))
  (= "else must be the last clause" (refused (cond (else 2) (1 2))))
  (= "cond needs clauses (condition expr)" (refused (cond 1 2)))
  (= "the last clause must be (else expr)" (refused (case 1 (1 2))))
  (= "the last clause must be (else expr)" (refused (case 1)))
  (= "case compares with numbers and strings" (refused (case 1 (x 2) (else 3))))
  (= "do needs at least one expression" (refused (do)))
  (= "the last step of do is its value, not a binding" (refused (do (<- x 3))))
  (= "a binding in do is (<- pattern expr)" (refused (do (<- x) 3)))
  (= "match needs clauses (pattern expr)" (refused (match 1 2)))
  (= "the tag of a pattern is a number or a name bound to one" (refused (match 1 (Nope[x] 2))))
  (= "a pattern is a literal, a name, _, [p ...] or tag[p ...]" (refused (match 1 ((a b) 2)))))
