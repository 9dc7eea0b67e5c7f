(require "compiler")
; Functions, let, choice, sequence and patterns: the forms programs are written with.
;
; Invariants:
; - the special forms are the compiler's; every other form is a macro over them, so whoever writes
;   macros can write forms like these;
; - a macro's own variables are called %case, %do and %match: nothing else may be called so.

; The special forms.

(macro lambda     (%special %top 1))
(macro pin-lambda (%special %top 2))
(macro let        (%special %top 3))
(macro let*       (%special %top 4))
(macro letrec     (%special %top 5))
(macro CURLED     (%special %top 6))

(document lambda "(lambda (f arg ...) body) or (lambda [arg ...] body): a function with closure.")
(document pin-lambda "As lambda, pinned.")
(document let "(let ((pattern expr) ...) body): body with the patterns bound.
(let ((x 3) (y 4)) (Add x y))  => 7")
(document let* "As let; each expression sees the patterns before it.
(let* ((x 3) (y x)) [x y])  => [3 3]")
(document letrec "As let; each expression sees all patterns.")
(document CURLED "{a b -> body} is the function of a and b.
With --> it is pinned; {f a b => body} has the name f, {f a b ==> body} is pinned too.
({a b -> (Add a b)} 2 3)  => 5")

(defmacro (defun env form)
  "(defun (f arg ...) body) defines a function.
A doc string and bindings (@ pattern expr), which see each other, may stand before the body."
  (%define-function "%def" "defun needs (defun (name arg ...) body)" env form))

(defmacro (defmacro env form)
  "(defmacro (m env form) body) defines a macro; the value of body is [env form]."
  (@ usage "defmacro needs (defmacro (name env form) body)")
  (If (Eq 3 (Sz (%unmarked (Ix1 form))))
    (%define-function "%macro" usage env form)
    (%wrong usage form)))

; (define name doc? expr)
(defun (%define-value env form)
  (@ n    (Sz form))
  (@ doc  (And (Eq 4 n) (Eq 1 (%kind (Ix2 form)))))
  (@ name (Ix1 form))
  (@ r    (%top (%document name (And doc (Ix2 form)) env) (Ix (Dec n) form)))
  (If (And (%is-name name) (Eq n (If doc 4 3)))
    (Seq r [(Ix0 r) ["%def" name (Ix1 r)]])
    (%wrong "define needs (define name expr) or (define (name arg ...) body)" form)))

(defmacro (define env form)
  "(define name expr) binds a name, (define (f arg ...) body) is defun."
  (If (IsNat (Ix1 form))
    (%define-value env form)
    (%define-function "%def" "define needs (define name expr) or (define (name arg ...) body)"
      env form)))

(%macro %let let)

(defmacro (* env form)
  "(* e) is e; *(f) in the place of a function's name is f: a wish to expand its calls."
  [env (Ix1 form)])

(defmacro (# env form)
  "#(name) is the name as a string, applied to the value.
#(Nil)  => (7104846 Nil)"
  [env [(1 (Ix0 (Ix1 form))) (Ix0 (Ix1 form))]])

(defmacro (get-current-environment env form)
  "(get-current-environment) is the environment at this point."
  [env (1 env)])

; Choice and sequence.

; The form applying op to the slots i and on of a form from the right; empty for none.
(defun (%fold-right op i form)
  (If (Eq i (Dec (Sz form)))
    (Ix i form)
    [op (Ix i form) (%fold-right op (Inc i) form)]))

(defun (%shape n text form)
  (If (Eq n (Sz form)) 1 (%wrong text form)))

(defmacro (if env form)
  "(if c t e): t if c is not 0, otherwise e; the other one is not evaluated."
  (Seq (%shape 4 "if needs (if condition then else); when has no else" form)
    [env [(1 If) (Ix1 form) (Ix2 form) (Ix3 form)]]))

(defmacro (when env form)
  "(when c e): e if c is not 0, otherwise 0."
  (Seq (%shape 3 "when needs (when condition expr)" form)
    [env [(1 If) (Ix1 form) (Ix2 form) (1 0)]]))

(defmacro (unless env form)
  "(unless c e): e if c is 0, otherwise 0."
  (Seq (%shape 3 "unless needs (unless condition expr)" form)
    [env [(1 If) (Ix1 form) (1 0) (Ix2 form)]]))

(defmacro (and env form)
  "(and a b ...): 0 at the first that is 0, otherwise the last; 1 for none.
(and 1 2 3)  => 3"
  [env (If (Eq 1 (Sz form)) (1 1) (%fold-right (1 And) 1 form))])

(defmacro (or env form)
  "(or a b ...): the first that is not 0, otherwise the last; 0 for none.
(or 0 2 3)  => 2"
  [env (If (Eq 1 (Sz form)) (1 0) (%fold-right (1 Or) 1 form))])

(defun (not x) "1 if x is 0, otherwise 0." (Nil x))

; Whether the clause is (else expr), as the last one must be.
(defun (%else-clause i form text)
  (@ clause (Ix i form))
  (@ last   (Eq i (Dec (Sz form))))
  (@ else   (And (Nil (Hd clause)) (Eq "else" (Ix0 clause))))
  (If (And (Ne 2 (Sz clause)) (Lt i (Sz form)))
    (%wrong text (If (IsApp clause) clause form))
    (If (And last else) 1
      (If (And (Lt i (Sz form)) (And (Nil last) (Nil else))) 0
        (%wrong (If else "else must be the last clause" "the last clause must be (else expr)")
          (If (IsApp clause) clause form))))))

(defun (%cond i form)
  (@ clause (Ix i form))
  (If (%else-clause i form "cond needs clauses (condition expr)")
    (Ix1 clause)
    [(1 If) (Ix0 clause) (Ix1 clause) (%cond (Inc i) form)]))

(defmacro (cond env form)
  "(cond (c e) ... (else e)): the expression beside the first condition that is not 0."
  [env (%cond 1 form)])

; The test whether what form stands for is a natural.
(defun (%match-nat n form)
  (If n [(1 Eq) (1 n) form] [(1 Nil) form]))

(defun (%case-tests test i key clause)
  (@ first (test (Ix i key) clause))
  (If (Eq i (Dec (Sz key)))
    first
    [(1 Or) first (%case-tests test (Inc i) key clause)]))

; The test of a variable against the literals of a clause: 5, or (5 6) for several.
(defun (%case-test key clause)
  (If (Eq 1 (%kind key))
    (%match-nat (Ix0 key) "%case")
    (If (And (IsApp key) (Nil (Hd key)))
      (%case-tests %case-test 0 key clause)
      (%wrong "case compares with numbers and strings" clause))))

(defun (%case i form)
  (@ clause (Ix i form))
  (If (%else-clause i form "case needs clauses (literal expr)")
    (Ix1 clause)
    [(1 If) (%case-test (Ix0 clause) clause) (Ix1 clause) (%case (Inc i) form)]))

(defmacro (case env form)
  "(case e (5 x) ((6 7) y) ... (else z)): the expression beside the number or string that e is."
  [env ["%let" [["%case" (Ix1 form)]] (%case 2 form)]])

; rest with a pattern bound to the value of an expression, which is evaluated first.
(defun (%do-binding p e rest)
  (If (And (%is-name p) (Ne "_" p))
    ["%let" [[p e]] [(1 Seq) p rest]]
    ["%let" [["%do" e]] [(1 Seq) "%do" ["%let" [[p "%do"]] rest]]]))

; One step of do and what follows.
(defun (%do i form)
  (@ x    (Ix i form))
  (@ bind (And (IsApp x) (And (Nil (Hd x)) (Eq "<-" (Ix0 x)))))
  (@ rest (%do (Inc i) form))
  (If (Eq i (Dec (Sz form)))
    (If bind (%wrong "the last step of do is its value, not a binding" x) x)
    (If bind
      (If (Ne 3 (Sz x))
        (%wrong "a binding in do is (<- pattern expr)" x)
        (%do-binding (Ix1 x) (Ix2 x) rest))
      [(1 Seq) x rest])))

(defmacro (do env form)
  "(do e ... last): evaluates in order, the value is the last; (<- pattern e) binds a value."
  (If (Eq 1 (Sz form))
    (%wrong "do needs at least one expression" form)
    [env (%do 1 form)]))

; match: a value against patterns.

; The row of a pattern's parts, its tag in front as a form: [tag parts]; 0 if it is no row.
(defun (%match-row p)
  (@ own   (%bracket p))
  (@ named (%bracket (Ix1 p)))
  (If (Ne 7 own) [(1 0) own]
    (If (And (Eq 2 (Sz p)) (And (Nil (Hd p)) (Ne 7 named))) [(Ix0 p) named] 0)))

; The natural that a tag is: a literal or a name bound to a natural.
(defun (%match-tag env tag at)
  (@ node (%find tag env))
  (@ bad  (%wrong "the tag of a pattern is a number or a name bound to one" at))
  (If (Eq 1 (%kind tag))
    (Ix0 tag)
    (If (And (%is-name tag) (And node (IsNat (Ix1 node)))) (Ix1 node) bad)))

; Both tests; 1 stands for a test that always succeeds.
(defun (%both a b)
  (If (Eq 1 a) b (If (Eq 1 b) a [(1 And) a b])))

(defun (%match-tests test env i parts at form)
  (If (Lt i (Sz parts))
    (%both (test env (Ix i parts) at (%element i form))
      (%match-tests test env (Inc i) parts at form))
    1))

; The test whether what form stands for has the shape of a pattern.
(defun (%match-test env p at form)
  (@ row   (%match-row p))
  (@ parts (Ix1 row))
  (@ tag   (%match-tag env (Ix0 row) p))
  (@ size  [(1 Eq) (1 (Sz parts)) [(1 Sz) form]])
  (@ head  (%match-nat tag [(1 Hd) form]))
  (If (%is-name p) 1
    (If (Eq 1 (%kind p)) (%match-nat (Ix0 p) form)
      (If row
        (If parts
          [(1 And) size (%both head (%match-tests %match-test env 0 parts at form))]
          (%match-nat tag form))
        (%wrong "a pattern is a literal, a name, _, [p ...] or tag[p ...]"
          (If (IsApp p) p at))))))

(defun (%match-names-of names i parts form out)
  (If (Lt i (Sz parts))
    (%match-names-of names (Inc i) parts form (names (Ix i parts) (%element i form) out))
    out))

; The names of a pattern with what they stand for, appended to a row of let bindings.
(defun (%match-names p form out)
  (@ row (%match-row p))
  (If (%is-name p)
    (If (Eq "_" p) out (out [p form]))
    (If row (%match-names-of %match-names 0 (Ix1 row) form out) out)))

(defun (%no-match x) (Error ("no-match" x)))

(defun (%match-clause env clause rest)
  (@ test  (%match-test env (Ix0 clause) clause "%match"))
  (@ names (%match-names (Ix0 clause) "%match" 0))
  (@ body  (If names ["%let" names (Ix1 clause)] (Ix1 clause)))
  (If (Eq 1 test) body [(1 If) test body rest]))

(defun (%match env i form)
  (@ clause (Ix i form))
  (@ else   (And (Nil (Hd clause)) (Eq "else" (Ix0 clause))))
  (If (Lt i (Sz form))
    (If (Ne 2 (Sz clause))
      (%wrong "match needs clauses (pattern expr)" (If (IsApp clause) clause form))
      (If else (Ix1 clause) (%match-clause env clause (%match env (Inc i) form))))
    [(1 %no-match) "%match"]))

(defmacro (match env form)
  "(match e (pattern expr) ...): the expression beside the first pattern that e has the shape of.
Patterns are literals, names, _, rows [p ...] of that size, tag[p ...] and else; a tag is a number
or a name bound to one. If none fits it throws no-match applied to the value.
(match [3 4] (0 1) ([a b] (Add a b)))  => 7"
  (If (Lt (Sz form) 3)
    (%wrong "match needs (match expr (pattern expr) ...)" form)
    [env ["%let" [["%match" (Ix1 form)]] (%match env 2 form)]]))
