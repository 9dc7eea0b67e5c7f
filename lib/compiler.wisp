(require "scope")
; The compiler: functions that see what is around them, let, and patterns, as plain law forms.
;
; A form is compiled from source to source. Every local variable gets a symbol of its own; lets
; become bindings of the law they stand in; a function inside a function becomes a closed law that
; takes what it uses from outside as leading arguments (Johnsson, Lambda Lifting, 1985), and is
; applied to that in its place. What comes out has no local macros and no shadowing, so law can
; read it as it is.
;
; Invariants:
; - scopes, states and variables are those of module scope;
; - compiling a form goes through its macros with the environment threaded, as evaluation does, but
;   the name of a local variable is never a macro.

; Functions. A spec is [name row i end form j pinned]: the parameters are the slots i to end of
; row, the bindings and the body the slots from j on of form; name is 0 if it has none.

(defun (%lambda-spec x pinned)
  (@ sig (Ix1 x))
  (@ row (%bracket sig))
  (@ bad (%wrong "lambda needs (lambda (name arg ...) body) or (lambda [arg ...] body)" x))
  (If (Lt (Sz x) 3) bad
    (If (Ne 7 row)
      (If row [0 row 0 (Sz row) x 2 pinned] bad)
      (If (And (Nil (Hd sig)) (And (Lt 1 (Sz sig)) (%is-name (Ix0 sig))))
        [(Ix0 sig) sig 1 (Sz sig) x 2 pinned]
        bad))))

; 1 for ->, 2 for -->, 3 for =>, 4 for ==>, 5 for a dot, otherwise 0.
(defun (%arrow-kind form)
  (If (IsNat form)
    (Switch ["->" "-->" "=>" "==>" "."] form [1 2 3 4 5] 0)
    0))

; {name a b => body}; a first element {c d}, which names what is captured, is allowed and not
; needed.
(defun (%curled-spec x)
  (@ row   (Ix1 x))
  (@ last  (Dec (Sz row)))
  (@ kind  (%arrow-kind (Ix (Dec last) row)))
  (@ end   (If kind (Dec last) last))
  (@ named (Or (Eq 3 kind) (Eq 4 kind)))
  (@ first (Ix0 row))
  (@ from  (Or named (And (Eq 2 (Sz first)) (Eq "CURLED" (Ix0 first)))))
  (If (Or (Le end from) (And named (Nil (%is-name first))))
    (%wrong "a function is written {a b -> body} or {name a b => body}" x)
    [(And named first) row from end row last (Or (Eq 2 kind) (Eq 4 kind))]))

; The function of the macro that a form calls; 0 if it calls none.
(defun (%macro-of scope env x)
  (@ head (Ix0 x))
  (@ node (%find head env))
  (If (And (IsApp x) (And (Nil (Hd x)) (And (%is-name head) (Nil (%local head scope)))))
    (And node (And (Ix2 node) (Ix1 node)))
    0))

; The spec of a form that makes a function; 0 for any other form.
(defun (%spec-of scope env x)
  (@ value (%macro-of scope env x))
  (Case7 (And value (%special-kind value))
    0 (%lambda-spec x 0) (%lambda-spec x 1) 0 0 0 (%curled-spec x)))

; Declares the parameters i to end of row; those with patterns are unpacked: [row-of-symbols scope
; s].
(defun (%parameters i end row at out scope s)
  (@ p (Ix i row))
  (@ d (%declare p at scope s))
  (@ u (%variable "_" scope s))
  (@ e (If (Eq "_" p) u d))
  (If (Lt i end)
    (Seq e (%parameters (Inc i) end row at (out (Ix0 e)) (Ix2 e) (Ix3 e)))
    [out scope s]))

; The variables in refs, found in the lists of uses of a scope: a list as uses. cells is what is
; left of the list of the last entry.
(defun (%captured cells scope refs uses)
  (If refs
    (If cells
      (If (Test (Ix0 cells) refs)
        (%captured (Ix2 cells) scope (Clear (Ix0 cells) refs) [(Ix0 cells) (Ix1 cells) uses])
        (%captured (Ix2 cells) scope refs uses))
      (If scope
        (%captured (Ix2 scope) (Ix3 scope) refs uses)
        uses))
    uses))

; The bindings that are used, appended to f, the oldest first.
(defun (%used-binds f binds refs)
  (@ older (%used-binds f (Ix2 binds) refs))
  (If binds
    (If (Test (Ix0 binds) refs) (older (Ix1 binds)) older)
    f))

; Compiles a function: [symbols binds expr captured env next].
(defun (%function c scope s spec)
  (@ k    (Ix2 s))
  (@ par  (%parameters (Ix2 spec) (Ix3 spec) (Ix1 spec) (Ix1 spec) 0
            (%scope-mark scope) (%start (Ix1 s) k)))
  (@ r    (c (Ix1 par) (Ix2 par) (2 (Ix4 spec) (Ix5 spec))))
  (@ free (%captured 0 scope (Trunc k (Ix3 r)) 0))
  (Seq3 par r free
    [(Ix0 par) (%used-binds 0 (Ix4 r) (Ix3 r)) (Ix0 r) free (Ix1 r) (Ix2 r)]))

; The symbols of a list of uses, appended to f.
(defun (%symbols f uses)
  (If uses (%symbols (f (Ix1 uses)) (Ix2 uses)) f))

; The law form of a function: its own name, what it captures, a function as compiled.
(defun (%law-form head captured fn)
  (@ symbols (Ix0 fn))
  (@ binds   (Ix1 fn))
  (@ sig     (%slots (%symbols [head] captured) 0 (Sz symbols) symbols))
  (%slots ["%law" sig] 0 (Sz binds) binds (Ix2 fn)))

; A call with what a function captures; the function alone if that is nothing.
(defun (%closure expr captured)
  (If captured (%symbols [expr] captured) expr))

(defun (%assoc x table)
  (And table (If (Eq x (Ix0 table)) table (%assoc x (Ix2 table)))))

(defun (%replace-slots replace table out i n x)
  (If (Lt i n)
    (%replace-slots replace table (out (replace table (Ix i x))) (Inc i) n x)
    out))

(defun (%replace-list replace table x)
  (@ head   (replace table (Ix0 x)))
  (@ joined (And (IsNat (Ix0 x)) (And (IsApp head) (Nil (Hd head)))))
  (If (Eq "%law" (Ix0 x)) x
    (%replace-slots replace table (If joined head [head]) 1 (Sz x) x)))

; Replaces symbols by expressions, table being a list [symbol expr rest]. Laws are closed and stay.
(defun (%replace table x)
  (@ entry (%assoc x table))
  (If (IsNat x)
    (If entry (Ix1 entry) x)
    (If (Nil (Hd x)) (%replace-list %replace table x) x)))

; A function with symbols replaced in its bindings and its body.
(defun (%replace-in table fn)
  (@ binds (Ix1 fn))
  [(Ix0 fn) (%replace-slots %replace table 0 0 (Sz binds) binds) (%replace table (Ix2 fn))])

; A pinned function is made at once: pinning it at each call would copy it each time.
(defun (%pinned env form)
  (1 (Pin (Ix1 (eval env form)))))

(defun (%uses-number number uses)
  (And uses (Or (Eq number (Ix0 uses)) (%uses-number number (Ix2 uses)))))

(defun (%without number uses)
  (If uses
    (If (Eq number (Ix0 uses)) (Ix2 uses) [(Ix0 uses) (Ix1 uses) (%without number (Ix2 uses))])
    0))

; A function in the place of an expression.
(defun (%compile-lambda c scope s spec)
  (@ name  (Ix0 spec))
  (@ v     (%self-variable name scope s))
  (@ fn    (%function c (Ix2 v) (Ix3 v) spec))
  (@ self  (Ix0 v))
  (@ rec   (And name (%uses-number (Ix1 v) (Ix3 fn))))
  (@ cap   (%without (Ix1 v) (Ix3 fn)))
  (@ body  (If (And rec cap) (%replace-in [self (%closure self cap) 0] fn) fn))
  (@ form  (%law-form (If rec self (1 name)) cap body))
  (@ code  (If (Ix6 spec) (%pinned (Ix4 fn) form) form))
  (@ refs  (%set-uses cap (Ix3 s)))
  (Seq2 fn refs
    [(%closure code cap) (Ix4 fn) (Ix5 fn) refs (Ix4 s)]))

; Groups of bindings that see each other. A cell is [pattern expr form rest].

; The spec of the function that a cell binds a name to; 0 if it does not.
(defun (%function-cell scope env cells)
  (@ name (Ix0 cells))
  (@ spec (%spec-of scope env (Ix1 cells)))
  (And (%is-name name) (And (Ne "_" name) (And spec
    (If (Or (Ix6 spec) (And (Ix0 spec) (Ne name (Ix0 spec)))) 0 spec)))))

; The cells that bind a name to a function: a list [name spec form rest].
(defun (%functions scope env cells)
  (@ spec (%function-cell scope env cells))
  (@ rest (%functions scope env (Ix3 cells)))
  (If cells
    (If spec [(Ix0 cells) spec (Ix2 cells) rest] rest)
    0))

; Declares the patterns of the other cells: [scope state values], values a list [symbol number expr
; rest].
(defun (%declare-values outer env cells scope s)
  (@ d (%declare (Ix0 cells) (Ix2 cells) scope s))
  (@ r (%declare-values outer env (Ix3 cells) (Ix2 d) (Ix3 d)))
  (If cells
    (If (%function-cell outer env cells)
      (%declare-values outer env (Ix3 cells) scope s)
      (Seq2 d r [(Ix0 r) (Ix1 r) [(Ix0 d) (Ix1 d) (Ix1 cells) (Ix2 r)]]))
    [scope s 0]))

; Declares functions under symbols that are replaced later: [scope state list], the list's cells
; being [symbol number spec name rest].
(defun (%declare-functions funs scope s list)
  (@ name (Ix0 funs))
  (@ v    (%self-variable name scope s))
  (If funs
    (If (%declared name scope)
      (%bound-twice name (Ix2 funs))
      (Seq v (%declare-functions (Ix3 funs) (Ix2 v) (Ix3 v)
        [(Ix0 v) (Ix1 v) (Ix1 funs) name list])))
    [scope s list]))

; Compiles them: [list state], the list's cells being [symbol number fn name law-symbol law-number
; rest].
(defun (%compile-functions c list scope s out)
  (@ fn  (%function c scope s (Ix2 list)))
  (@ s1  [0 (Ix4 fn) (Ix5 fn) (Ix3 s) (Ix4 s)])
  (@ law (%variable (Ix3 list) 0 s1))
  (If list
    (Seq2 fn law (%compile-functions c (Ix4 list) scope (Ix3 law)
      [(Ix0 list) (Ix1 list) fn (Ix3 list) (Ix0 law) (Ix1 law) out]))
    [out s]))

(defun (%cell number list)
  (And list (If (Eq number (Ix1 list)) list (%cell number (Ix6 list)))))

; What a function of the list reaches: [set cells captured]: the numbers of the functions as bits,
; their cells as a list [cell rest], the variables from outside the list that they use. From a list
; of uses on.
(defun (%reach uses list found)
  (@ number (Ix0 uses))
  (@ cell   (%cell number list))
  (@ next   (%reach (Ix2 uses) list found))
  (@ inner  (%reach (Ix3 (Ix2 cell)) list
              [(Set number (Ix0 found)) [cell (Ix1 found)] (Ix2 found)]))
  (If uses
    (If (Test number (Ix0 found))
      next
      (If cell
        (%reach (Ix2 uses) list inner)
        (%reach (Ix2 uses) list
          [(Set number (Ix0 found)) (Ix1 found) [number (Ix1 uses) (Ix2 found)]])))
    found))

; The law symbols of cells, except that of one number, in front of uses.
(defun (%law-uses number cells uses)
  (@ cell (Ix0 cells))
  (@ rest (%law-uses number (Ix1 cells) uses))
  (If cells
    (If (Eq number (Ix1 cell)) rest [(Ix5 cell) (Ix4 cell) rest])
    uses))

; What the function of a cell is called with before its arguments: uses.
(defun (%leading cell list)
  (@ found (%reach (Ix3 (Ix2 cell)) list [0 0 0]))
  (%law-uses (Ix1 cell) (Ix1 found) (Ix2 found)))

; What the symbols of the functions stand for inside the law of one of them, whose law symbol there
; is its own symbol.
(defun (%table cells self list)
  (@ cell (Ix0 cells))
  (@ expr (%closure (Ix4 cell) (%leading cell list)))
  (@ mine (%replace [(Ix4 self) (Ix0 self) 0] expr))
  (If cells
    [(Ix0 cell) mine (%table (Ix1 cells) self list)]
    0))

(defun (%bind-function cell list)
  (@ fn    (Ix2 cell))
  (@ found (%reach (Ix3 fn) list [0 0 0]))
  (@ rec   (Ix1 found))
  (@ body  (If rec (%replace-in (%table rec cell list) fn) fn))
  (@ head  (If rec (Ix0 cell) (1 (Ix3 cell))))
  ["@" (Ix4 cell) (%law-form head (%leading cell list) body)])

; Binds the functions of the cells, which are those of list or its rest.
(defun (%bind-each cells list scope s)
  (@ leading (%leading cells list))
  (@ expr    (%closure (Ix4 cells) leading))
  (@ uses    [(Ix5 cells) (Ix4 cells) leading])
  (@ s1      (%push-bind (Ix5 cells) (%bind-function cells list) s))
  (If cells
    (%bind-each (Ix6 cells) list [(Ix3 cells) expr uses scope] s1)
    [scope s]))

; Binds the laws and names of the functions: [scope state].
(defun (%bind-functions list scope s) (%bind-each list list scope s))


(defun (%compile-values c values scope s)
  (@ r  (c scope s (Ix2 values)))
  (@ s1 (If (Ix0 values) (%push-bind (Ix1 values) ["@" (Ix0 values) (Ix0 r)] r) r))
  (If values
    (Seq r (%compile-values c (Ix3 values) scope s1))
    s))

; The body of a group in the scope of its bindings.
(defun (%compile-group c scope s cells body)
  (@ env    (Ix1 s))
  (@ funs   (%functions scope env cells))
  (@ d      (%declare-values scope env cells (%scope-mark scope) s))
  (@ g      (%declare-functions funs (Ix0 d) (Ix1 d) 0))
  (@ laws   (%compile-functions c (Ix2 g) (Ix0 g) (Ix1 g) 0))
  (@ b      (%bind-functions (Ix0 laws) (Ix0 d) (Ix1 laws)))
  (@ v      (%compile-values c (Ix2 d) (Ix0 b) (Ix1 b)))
  (c (Ix0 b) v body))

(defun (%at-cells j last form)
  (@ b (Ix j form))
  (If (Lt j last)
    (If (And (Eq 3 (Sz b)) (And (Nil (Hd b)) (Eq "@" (Ix0 b))))
      [(Ix1 b) (Ix2 b) b (%at-cells (Inc j) last form)]
      (%wrong "only (@ name expr) may stand before the one body; (do a b) makes steps" form))
    0))

; The slots from j on of a form: bindings (@ pattern expr), which see each other, and one
; expression.
(defun (%compile-body c scope s form j)
  (@ last  (Dec (Sz form)))
  (@ cells (%at-cells j last form))
  (If (Eq j last)
    (c scope s (Ix j form))
    (%compile-group c scope s cells (Ix last form))))

; let.

; The cells of a let's bindings.
(defun (%let-cells i n row x)
  (@ b (Ix i row))
  (If (Lt i n)
    (If (And (Eq 2 (Sz b)) (Nil (Hd b)))
      [(Ix0 b) (Ix1 b) b (%let-cells (Inc i) n row x)]
      (%wrong "a binding is (name expr)" (If (IsApp b) b row)))
    0))

(defun (%cells-of x)
  (@ row (Ix1 x))
  (If (And (Eq 3 (Sz x)) (Nil (Hd row)))
    (%let-cells 0 (Sz row) row x)
    (%wrong "let needs (let ((name expr) ...) body)" x)))

; Binds a name to a function: the law becomes a binding, the name stands for its call with what it
; captures.
(defun (%let-function c from cells spec scope s)
  (@ own  (Ix0 spec))
  (@ name (Ix0 cells))
  (@ g    (%declare-functions [own spec (Ix2 cells) 0] (%scope-mark from) s 0))
  (@ laws (%compile-functions c (Ix2 g) (Ix0 g) (Ix1 g) 0))
  (@ cell (Ix0 laws))
  (@ b    (%bind-functions (Up 3 (Or own name) cell) scope (Ix1 laws)))
  (@ e    (Ix0 b))
  (If (%declared name scope)
    (%bound-twice name (Ix2 cells))
    (If (Eq "_" name) [scope s]
      (Seq2 laws b [[name (Ix1 e) (Ix2 e) scope] (Ix1 b)]))))

; Binds a pattern to a value. A name for a literal or for another variable is only another name.
(defun (%let-value c from cells scope s)
  (@ p     (Ix0 cells))
  (@ x     (Ix1 cells))
  (@ entry (And (IsNat x) (%local x from)))
  (@ r     (c from s x))
  (@ same  (If entry [p (Ix1 entry) (Ix2 entry) scope] [p (Ix0 r) 0 scope]))
  (@ plain (And (%is-name p) (And (Ne "_" p) (Nil (%declared p scope)))))
  (@ d     (%declare p (Ix2 cells) scope r))
  (@ s1    (Ix3 d))
  (If (And plain (Or entry (Eq 1 (%kind (Ix0 r)))))
    (Seq r [same (If entry s r)])
    (Seq2 r d
      [(Ix2 d) (If (Ix0 d) (%push-bind (Ix1 d) ["@" (Ix0 d) (Ix0 r)] s1) s1)])))

; Compiles the bindings of a let: [scope state].
(defun (%let-bindings c outer cells scope sequential s)
  (@ from (If sequential scope outer))
  (@ spec (%spec-of from (Ix1 s) (Ix1 cells)))
  (@ mark (If sequential (%scope-mark scope) scope))
  (@ r    (If (And (%is-name (Ix0 cells)) (And spec (Nil (Ix6 spec))))
            (%let-function c from cells spec mark s)
            (%let-value c from cells mark s)))
  (If cells
    (Seq r (%let-bindings c outer (Ix3 cells) (Ix0 r) sequential (Ix1 r)))
    [scope s]))

(defun (%compile-letrec c scope s x)
  (%compile-group c scope s (%cells-of x) (Ix2 x)))

(defun (%compile-let c scope s x sequential)
  (@ r (%let-bindings c scope (%cells-of x) (%scope-mark scope) sequential s))
  (Seq r (c (Ix0 r) (Ix1 r) (Ix2 x))))

; Expressions. c is the function %compile, which the functions below cannot name.

(defun (%compile-symbol scope s x)
  (@ entry (%local x scope))
  (If entry (%use entry s) (%with x s)))

; The list of the slots i to n of x, compiled, the last one first, in front of out: [list state].
(defun (%compile-list-of c scope i n x out s)
  (@ r (c scope s (Ix i x)))
  (If (Lt i n)
    (Seq r (%compile-list-of c scope (Inc i) n x [(Ix0 r) out] r))
    [out s]))

(defun (%reverse list out)
  (If list (%reverse (Ix1 list) [(Ix0 list) out]) out))

; out with the slots i to n of x, compiled. Growing a long row one by one would be quadratic.
(defun (%compile-slots c scope i n x out s)
  (@ r    (c scope s (Ix i x)))
  (@ l    (%compile-list-of c scope i n x 0 s))
  (@ rest (Row 0 (Sub n i) (%reverse (Ix0 l) 0)))
  (If (Lt i n)
    (If (Lt (Add i 32) n)
      (Seq l (%with (weld out rest) (Ix1 l)))
      (Seq r (%compile-slots c scope (Inc i) n x (out (Ix0 r)) r)))
    (%with out s)))

(defun (%compile-call c scope x expr joined s)
  (If (Eq 1 (Sz x)) (%with expr s)
    (%compile-slots c scope 1 (Sz x) x (If joined expr [expr]) s)))

(defun (%compile-special c scope s x kind)
  (Case7 kind
    (%wrong "no special form" x)
    (%compile-lambda c scope s (%lambda-spec x 0))
    (%compile-lambda c scope s (%lambda-spec x 1))
    (%compile-let c scope s x 0)
    (%compile-let c scope s x 1)
    (%compile-letrec c scope s x)
    (%compile-lambda c scope s (%curled-spec x))))

; Whether what a macro returned is [env form].
(defun (%is-expansion out)
  (@ env (Ix0 out))
  (And (Eq 2 (Sz out)) (And (Nil (Hd out)) (Or (IsApp env) (Nil env)))))

; x is a call of the macro value, the n-th on the way from the form that stands in the text.
(defun (%compile-macro c scope s x value n)
  (@ kind (%special-kind value))
  (@ out  (value (Ix1 s) x))
  (@ env  (Ix0 out))
  (@ form (Ix1 out))
  (@ next (%macro-of scope env form))
  (If kind
    (%compile-special c scope s x kind)
    (If (RefEq value %law)
      (%with (Up 0 "%law" x) s)
      (If (Or (IsNat value) (Lt 10000 n))
        (%wrong (If (IsNat value) "this macro is not a function" "macro expansion does not end") x)
        (If (%is-expansion out)
          (If next
            (%compile-macro c scope (%in env s) form next (Inc n))
            (c scope (%in env s) form))
          (%wrong "this macro did not return [env form]" x))))))

(defun (%compile-list c scope s x)
  (@ head  (Ix0 x))
  (@ local (%local head scope))
  (@ expr  (Ix1 local))
  (@ macro (%macro-of scope (Ix1 s) x))
  (@ r     (c scope s head))
  (If (%is-name head)
    (If local
      (%compile-call c scope x expr (And (IsApp expr) (Nil (Hd expr))) (%use local s))
      (If macro
        (%compile-macro c scope s x macro 0)
        (%compile-call c scope x head 0 s)))
    (%compile-call c scope x (Ix0 r) 0 r)))

; The form x compiled in a scope: a state. Besides forms it takes 2[form j], the body of a
; function: the slots from j on of form.
(defun (%compile scope s x)
  (If (IsNat x)
    (If x (%compile-symbol scope s x) (%with (1 0) s))
    (If (Nil (Hd x)) (%compile-list %compile scope s x)
      (If (And (IsNat (Hd x)) (Eq 2 (Hd x)))
        (%compile-body %compile scope s (Ix0 x) (Ix1 x))
        (%with x s)))))

; The top level.

; An expression that needs bindings becomes the body of a law, applied at once.
(defun (%top env x)
  (@ r     (%compile 0 (%start env 0) x))
  (@ binds (%used-binds 0 (Ix4 r) (Ix3 r)))
  (@ law   (%slots ["%law" [(1 "let") "_"]] 0 (Sz binds) binds (Ix0 r)))
  (Seq r [(Ix1 r) (If binds [law (1 0)] (Ix0 r))]))

; A law form with one more binding.
(defun (%alias law name self)
  (%slots [(Ix0 law) (Ix1 law) ["@" self name]] 2 (Sz law) law))

; The pinned law of a definition: its name is the symbol for itself, unless that is a macro.
(defun (%define-law definer env form from row body)
  (@ name  (Ix0 row))
  (@ env1  (%document name (And (Lt from body) (Ix from form)) env))
  (@ self  (%self name 0 env1))
  (@ fn    (%function %compile [name self [0 self 0] 0] (%start env1 1)
             [name row 1 (Sz row) form body 0]))
  (@ law   (%law-form name 0 fn))
  (@ alias (If (And (Ix3 fn) (Ne name self)) (%alias law name self) law))
  (Seq fn [(Ix4 fn) [definer name [(1 Pin) alias]]]))

; A signature without the mark of *(name), which asks for the function to be compiled in place of
; its calls: a wish that changes no value and is not followed.
(defun (%unmarked row)
  (@ head (Ix0 row))
  (@ mark (And (Eq 2 (Sz head)) (Eq "*" (Ix0 head))))
  (If (And mark (Eq 1 (Sz (Ix1 head)))) (Up 0 (Ix0 (Ix1 head)) row) row))

; The definition of a function by a form whose slot 1 is the signature.
(defun (%define-function definer usage env form)
  (@ row (%unmarked (Ix1 form)))
  (@ doc (And (Lt 3 (Sz form)) (Eq 1 (%kind (Ix2 form)))))
  (If (And (Lt 2 (Sz form))
        (And (Nil (Hd row)) (And (Lt 1 (Sz row)) (And (%is-name (Ix0 row))))))
    (%define-law definer env form 2 row (If doc 3 2))
    (%wrong
      (If (And (Eq 1 (Sz row)) (Nil (Hd row)))
        "a function has at least one argument; (define name expr) defines a value"
        usage)
      form)))
