(require "base")
; What the compiler knows at a place: the names in scope, the state of its work; and patterns.
;
; Invariants:
; - a variable is a number; those of a law are greater than those outside it, so that what a law
;   uses from outside are the numbers below its first one;
; - a scope is 0 or [name expr uses rest]: expr is the form the name stands for, uses the list of
;   the variables in it, [number symbol rest]; an entry with the name 0 only marks where a scope
;   begins;
; - a state is [expr env next refs binds]: the form last compiled, the environment, the next
;   number, the set of variables used in this law so far as bits, and the bindings of this law, the
;   list [number form rest].

; States and scopes.

(defun (%start env next) [0 env next 0 0])

(defun (%with expr s) [expr (Ix1 s) (Ix2 s) (Ix3 s) (Ix4 s)])

(defun (%in env s) [0 env (Ix2 s) (Ix3 s) (Ix4 s)])

(defun (%push-bind number form s)
  [0 (Ix1 s) (Ix2 s) (Ix3 s) [number form (Ix4 s)]])

(defun (%local name scope)
  (And scope (If (Eq name (Ix0 scope)) scope (%local name (Ix3 scope)))))

; Whether a name was declared since the mark.
(defun (%declared name scope)
  (And scope (And (Ix0 scope) (Or (Eq name (Ix0 scope)) (%declared name (Ix3 scope))))))

(defun (%scope-mark scope) [0 0 0 scope])

(defun (%set-uses uses refs)
  (If uses (%set-uses (Ix2 uses) (Set (Ix0 uses) refs)) refs))

; A reference to what an entry stands for.
(defun (%use entry s)
  (@ refs (%set-uses (Ix2 entry) (Ix3 s)))
  (Seq refs [(Ix1 entry) (Ix1 s) (Ix2 s) refs (Ix4 s)]))

; The symbol of a variable: its name, a byte that no symbol in a text has, its number.
(defun (%symbol name number)
  (Add name (Lsh (Inc (Lsh number 8)) (Lsh (Bytes name) 3))))

(defun (%is-name form) (And (IsNat form) (Lt 1 form)))

(defun (%is-macro name env)
  (@ node (%find name env))
  (And name (And node (Ix2 node))))

; The symbol a function has for itself: its name, so that its law is called that, unless macros
; would be expanded in its place.
(defun (%self name number env)
  (If (%is-macro name env) (%symbol name number) name))

; A new variable with that symbol, as %variable.
(defun (%self-variable name scope s)
  (@ number (Ix2 s))
  (@ symbol (%self name number (Ix1 s)))
  [symbol number [name symbol [number symbol 0] scope]
    [0 (Ix1 s) (Inc number) (Ix3 s) (Ix4 s)]])

; What stands for the special forms: (run env form) compiles a form on the top level, kind says to
; the compiler which form it is.
(defun (%special run kind env form) (run env form))

(defun (%special-kind value)
  (If (And (IsApp value) (RefEq %special (Hd value))) (Last value) 0))

; Patterns: name, _, [p ...], name[p ...].

; Element i of what form stands for.
(defun (%element i form)
  (If (Lt i 8)
    [(1 (Case7 i Ix0 Ix1 Ix2 Ix3 Ix4 Ix5 (If (Eq i 6) Ix6 Ix7))) form]
    [(1 Ix) (1 i) form]))

(defun (%bad-pattern pattern at)
  (%wrong "a pattern is a name, _, [p ...] or name[p ...]" (If (IsApp pattern) pattern at)))

(defun (%bound-twice name at)
  (%wrong (Add name (Lsh " is bound twice here" (Lsh (Bytes name) 3))) at))

; A new variable in a scope: [symbol number scope state].
(defun (%variable name scope s)
  (@ number (Ix2 s))
  (@ symbol (%symbol name number))
  (Seq symbol
    [symbol number [name symbol [number symbol 0] scope]
      [0 (Ix1 s) (Inc number) (Ix3 s) (Ix4 s)]]))

; Declares the patterns i to n of a row as elements of the variable: [scope state].
(defun (%declare-elements declare i n row symbol number at scope s)
  (@ p   (Ix i row))
  (@ d   (declare p at scope s))
  (@ s1  (Ix3 d))
  (@ s2  (If (Ix0 d) (%push-bind (Ix1 d) ["@" (Ix0 d) (%element i symbol)] s1) s1))
  (@ s3  [0 (Ix1 s2) (Ix2 s2) (Set number (Ix3 s2)) (Ix4 s2)])
  (If (Lt i n)
    (If (Eq "_" p)
      (%declare-elements declare (Inc i) n row symbol number at scope s)
      (Seq2 d s2 (%declare-elements declare (Inc i) n row symbol number at (Ix2 d) s3)))
    [scope s]))

; Declares name[row] or, with the name _, [row].
(defun (%declare-row declare name row at scope s)
  (@ v (declare name at scope s))
  (@ u (%variable "_" (Ix2 v) s))
  (@ d (If (Eq "_" name) u v))
  (@ e (%declare-elements declare 0 (Sz row) row (Ix0 d) (Ix1 d) at (Ix2 d) (Ix3 d)))
  (Seq2 d e [(Ix0 d) (Ix1 d) (Ix0 e) (Ix1 e)]))

; Declares a pattern: [symbol number scope state]; the symbol is 0 for _. The caller binds the
; symbol. at is the form to show when it is wrong.
(defun (%declare p at scope s)
  (@ own   (%bracket p))
  (@ named (%bracket (Ix1 p)))
  (If (%is-name p)
    (If (Eq "_" p) [0 0 scope s]
      (If (%declared p scope)
        (%bound-twice p at)
        (%variable p scope s)))
    (If (Ne 7 own)
      (%declare-row %declare "_" own at scope s)
      (If (And (%is-name (Ix0 p)) (Ne 7 named))
        (%declare-row %declare (Ix0 p) named at scope s)
        (%bad-pattern p at)))))
