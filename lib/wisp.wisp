(require "text")
; Wisp in Wisp: environments, the reader, and (by what is required) lists, rows and strings.
;
; Invariants:
; - an environment is the evaluator's own tree of rows [name value flag left right], names ordered
;   as naturals, 0 the empty one; trailing slots may be missing, further ones are kept;
; - the reader takes lists of bytes, which may be lazy, and uses no more of them than one form; its
;   loop has a stack of its own.

;; Environments

(defun (getenv name env)
  "The node of a name in an environment, [name value flag ...]; 0 if it is not bound.
(Ix1 (getenv 'a' (putenv 'a' 5 0 0)))  => 5"
  (And env
    (Case3 (Cmp name (Ix0 env)) (getenv name (Ix3 env)) env (getenv name (Ix4 env)))))
(defun (putenv name value flag env)
  "env with a name bound to a value; the flag is 1 for a macro, else 0.
(putenv 'b' 1 0 (putenv 'a' 2 1 0))  => ['a' 2 1 0 ['b' 1 0]]"
  (Ifz env [name value flag]
    (Case3 (Cmp name (Ix0 env))
      [(Ix0 env) (Ix1 env) (Ix2 env) (putenv name value flag (Ix3 env)) (Ix4 env)]
      [name value flag (Ix3 env) (Ix4 env)]
      [(Ix0 env) (Ix1 env) (Ix2 env) (Ix3 env) (putenv name value flag (Ix4 env))])))
(defun (mkenv nodes) "The environment of a list of [name value flag].
(mkenv ~[['a' 2 1] ['b' 1 0]])  => ['a' 2 1 0 ['b' 1 0]]"
  (lfoldl {env n -> (putenv (Ix0 n) (Ix1 n) (Ix2 n) env)} 0 nodes))
(defun (getmacro env name) "The function of a macro; 0 if the name is none.
(getmacro (mkenv ~[['a' 2 1]]) 'a')  => 2"
  (@ node (getenv name env))
  (And (Ix2 node) (Ix1 node)))
(defun (%env-walk env rest)
  (Ifz env rest (%env-walk (Ix3 env) [(Ix0 env) (%env-walk (Ix4 env) rest)])))
(defun (env-names env) "The names bound in an environment, as a row in the order of naturals.
(env-names (mkenv ~[['b' 1 0] ['a' 2 1]]))  => ['a' 'b']" (array (%env-walk env 0)))

;; The evaluator: the language's own functions under names that nothing rebinds

(define oldlaw "The macro law as a function of the environment and the form." law)
(define oplaw "The macro law as a function: (oplaw env form) is [env literal].
(Ix1 (oplaw 0 [0 ['f' 'x'] 'x']))  => (1 {f x => x})" law)
(define opdefine "The function behind def and macro: (opdefine flag env form) is [env literal].
(opdefine 0 0 ['def' 'x' (1 5)])  => [['x' 5 0] (1 5)]" (Hd def))
(define opeval "The evaluator: (opeval env form) is [env value].
(opeval ['x' 7] 'x')  => [['x' 7] 7]" eval)
(define repl "The read loop: (repl env bytes) evaluates the forms in a list of bytes; gives a status."
  __REPL)
(define env0 "The environment that programs start with, before any require."
  (mkenv ~[["law" law 1] ["macro" (opdefine 1) 1] ["def" (opdefine 0) 1]
           ["Pin" Pin 0] ["eval" eval 0] ["__REPL" __REPL 0]]))

(defun (%macro-of env form)
  (And (IsApp form) (And (Nil (Hd form)) (And (IsNat (Ix0 form)) (getmacro env (Ix0 form))))))
(defun (expo env form) "Expands every macro of a form, outermost first: [env form].
(expo env0 ['a' (1 5)])  => [env0 ['a' (1 5)]]"
  (@ macro (%macro-of env form))
  (@ out   (macro env form))
  (If macro (expo (Ix0 out) (Ix1 out))
    (If (And (IsApp form) (Nil (Hd form))) (traverse env expo form) [env form])))

(defun (uncurry f pair) "(f a b) for the pair [a b].
(uncurry Add [3 4])  => 7" (f (Ix0 pair) (Ix1 pair)))

;; The reader

; The list without white space and comments in front.
(defun (%skip-gaps l)
  (@ c (Ix0 l))
  (And l
    (If (Eq c 59) (%skip-gaps (ldropWhile (Ne 10) l))
      (If (Or (isSpcChr c) (Or (Eq c 12) (Eq c 13))) (%skip-gaps (Ix1 l)) l))))
(defun (%token-byte c) (Or (isSymChr c) (Ge c 128)))
; The form of a token: a literal number or a symbol.
(defun (%token-form s) (If (strAll isNatChr s) (1 (Ix0 (parse-nat s))) s))
; Which bracket a byte is, counted from 1: ( [ { or ) ] } ; else 0.
(defun (%bracket-of c set)
  (@ at (str-index-of c set))
  (And c (And at (Inc (Ix0 at)))))
; The form of a closed frame [kind prefix elements], the prefix being [] or [form].
(defun (%close frame)
  (@ row  (array (lrev (Ix2 frame))))
  (@ nest (Ix (Ix0 frame) [0 row ["BRACED" row] ["CURLED" row]]))
  (Seq row (If (Ix1 frame) [(Ix0 (Ix1 frame)) nest] nest)))
(defun (%unreadable l) ((Pin "ReadErr") ("unexpected" (Ix0 l))))

; What comes after a form: the end, or the rest of the innermost open bracket.
(defun (%form-read loop k form l stack)
  (@ frame (Ix0 stack))
  (Seq form
    (If (Nil stack) (k form l)
      (loop k l [[(Ix0 frame) (Ix1 frame) [form (Ix2 frame)]] (Ix1 stack)]))))
(defun (%read-token loop k l stack)
  (@ token (%token-form (limplode (ltakeWhile %token-byte l))))
  (@ rest  (ldropWhile %token-byte l))
  (@ open  (%bracket-of (Ix0 rest) "([{"))
  (If open
    (Seq token (loop k (Ix1 rest) [[open [token] 0] stack]))
    (%form-read loop k token rest stack)))
(defun (%read-loop k l0 stack)
  (@ l     (%skip-gaps l0))
  (@ c     (Ix0 l))
  (@ open  (%bracket-of c "([{"))
  (@ close (%bracket-of c ")]}"))
  (If (%token-byte c) (%read-token %read-loop k l stack)
    (If (Eq c 34)
      (%form-read %read-loop k (1 (limplode (ltakeWhile (Ne 34) (Ix1 l))))
        (Ix1 (ldropWhile (Ne 34) (Ix1 l))) stack)
      (If open (%read-loop k (Ix1 l) [[open 0 0] stack])
        (If (And close (Eq close (Ix0 (Ix0 stack))))
          (%form-read %read-loop k (%close (Ix0 stack)) (Ix1 l) (Ix1 stack))
          (%unreadable l))))))
(defun (read bytes k)
  "Reads one form from a list of bytes: (k form rest). Throws ReadErr if there is none.
(read (lexplode 'foo(a 3) x') 0)  => [['foo' ['a' (1 3)]] ~[32 120]]" (%read-loop k bytes 0))
(defun (read-forms s) "All forms of a string, as a row. Throws ReadErr if it is malformed.
(read-forms 'a 5 (b)')  => ['a' (1 5) ['b']]"
  (array (lunfold {l -> (let ((more (%skip-gaps l))) (And more (read more 0)))} (lexplode s))))
