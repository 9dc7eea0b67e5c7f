; The built-in functions of Wisp as PLAN code, so that a program that holds one of them can be saved
; and run anywhere. The same language is implemented in Rust beside this file, which runs while a file
; is loaded; the bodies here run where a program calls a built-in function itself.
;
; Only law, def and Pin exist here.

(def prim   (Pin 15))
(def mklaw  (Pin 1))
(def trace  (Pin 4))
(def try    (Pin 8))
(def throw  (Pin "Throw"))
(def misread (Pin "ReadErr"))

(def Inc   (Pin (law ("Inc" x)          (prim (2 x)))))
(def Force (Pin (law ("Force" x)        (prim (4 x)))))
(def Seq   (Pin (law ("Seq" a b)        (prim (5 a b)))))
(def IsApp (Pin (law ("IsApp" x)        (prim (15 x)))))
(def IsNat (Pin (law ("IsNat" x)        (prim (16 x)))))
(def Nil   (Pin (law ("Nil" x)          (prim (18 x)))))
(def Last  (Pin (law ("Last" x)         (prim (25 x)))))
(def If    (Pin (law ("If" c t e)       (prim (26 c t e)))))
(def Ifz   (Pin (law ("Ifz" c t e)      (prim (27 c t e)))))
(def Nat   (Pin (law ("Nat" x)          (prim (28 x)))))
(def Dec   (Pin (law ("Dec" x)          (prim (29 x)))))
(def And   (Pin (law ("And" a b)        (prim (31 a b)))))
(def Or    (Pin (law ("Or" a b)         (prim (32 a b)))))
(def Add   (Pin (law ("Add" a b)        (prim (35 a b)))))
(def Sub   (Pin (law ("Sub" a b)        (prim (36 a b)))))
(def Mul   (Pin (law ("Mul" a b)        (prim (37 a b)))))
(def Eq    (Pin (law ("Eq" a b)         (prim (40 a b)))))
(def Ne    (Pin (law ("Ne" a b)         (prim (41 a b)))))
(def Le    (Pin (law ("Le" a b)         (prim (42 a b)))))
(def Lt    (Pin (law ("Lt" a b)         (prim (44 a b)))))
(def Order (Pin (law ("Compare" a b)    (prim (46 a b)))))
(def Lsh   (Pin (law ("Lsh" a n)        (prim (50 a n)))))
(def Hd    (Pin (law ("Hd" x)           (prim (67 x)))))
(def Sz    (Pin (law ("Sz" x)           (prim (68 x)))))
(def Case3 (Pin (law ("Case3" i a b c)  (prim (73 i a b c)))))
(def Coup  (Pin (law ("Coup" h x)       (prim (78 h x)))))
(def Ix    (Pin (law ("Ix" i x)         (prim (81 i x)))))
(def Ix0   (Pin (law ("Ix0" x)          (prim (82 x)))))
(def Ix1   (Pin (law ("Ix1" x)          (prim (83 x)))))
(def Ix2   (Pin (law ("Ix2" x)          (prim (84 x)))))
(def Ix3   (Pin (law ("Ix3" x)          (prim (85 x)))))
(def Ix4   (Pin (law ("Ix4" x)          (prim (86 x)))))
(def Row   (Pin (law ("Row" h n xs)     (prim (91 h n xs)))))
(def Bytes (Pin (law ("Bytes" n)        (prim (94 n)))))
(def Store8 (Pin (law ("Store8" i b n)  (prim (103 i b n)))))

; byte strings: a followed by b
(def glue (Pin (law (glue a b) (Add a (Lsh b (Lsh (Bytes a) 3))))))

; the environment: a tree of rows (key value flag left right)

(def find (Pin (law (find key t)
  (And t
    (Case3 (Order key (Ix0 t))
      (find key (Ix3 t))
      t
      (find key (Ix4 t)))))))

(def bind (Pin (law (bind key value flag t)
  (Ifz t (0 key value flag)
    (Case3 (Order key (Ix0 t))
      (0 (Ix0 t) (Ix1 t) (Ix2 t) (bind key value flag (Ix3 t)) (Ix4 t))
      (0 key value flag (Ix3 t) (Ix4 t))
      (0 (Ix0 t) (Ix1 t) (Ix2 t) (Ix3 t) (bind key value flag (Ix4 t))))))))

; the elements of a list in front of those of out, last one first, as a row; n of them are in out
(def rev-row (Pin (law (rev-row xs n out)
  (If xs
    (Seq n (rev-row (Ix1 xs) (Inc n) (0 (Ix0 xs) out)))
    (Row 0 n out)))))

; f, which takes and returns an environment, over the slots i to n of a row; out is the list of what
; came out, last one first

(def thread (Pin (law (thread f i n row env out)
  (@ step (f env (Ix i row)))
  (If (Lt i n)
    (Seq (Ix0 step) (thread f (Inc i) n row (Ix0 step) (0 (Ix1 step) out)))
    (0 env (rev-row out 0 0))))))

; what a form is: 0 a list, 1 a literal, 2 a symbol
(def kind (Pin (law (kind x)
  (@ h (Nat (Hd x)))
  (If (Lt h 2) h 2))))

; expansion

(def expand (Pin (law (expand env x)
  (@ head (Ix0 x))
  (@ node (find head env))
  (@ out  ((Ix1 node) env x))
  (If (Or (kind x) (Nil (Sz x))) (0 env x)
    (If (And (IsNat head) (And node (And (Ix2 node) (Ix1 node))))
      (expand (Ix0 out) (Ix1 out))
      (thread expand 0 (Sz x) x env 0))))))

; evaluation

(def slots (Pin (law (slots i n row)
  (And (Lt i n) (0 (Ix i row) (slots (Inc i) n row))))))

(def apply (Pin (law (apply row)
  (@ n (Sz row))
  (Coup (Ix0 row) (Row 0 (Dec n) (slots 1 n row))))))

(def eval-list (Pin (law (eval-list eval env x)
  (@ all (thread eval 0 (Sz x) x env 0))
  (Case3 (Sz x)
    (0 env (1 0))
    (eval env (Ix0 x))
    (Seq all (0 (Ix0 all) (apply (Ix1 all))))))))

(def eval-symbol (Pin (law (eval-symbol env x)
  (@ node (find x env))
  (Ifz node (throw (glue "undefined:" x)) (0 env (Ix1 node))))))

(def eval (Pin (law (eval env form)
  (@ r (expand env form))
  (@ e (Ix0 r))
  (@ x (Ix1 r))
  (Case3 (kind x)
    (eval-list eval e x)
    (0 e (Ix0 x))
    (eval-symbol e x)))))

; def is (define 0), macro is (define 1)

(def define (Pin (law (define flag env x)
  (@ r (Force (eval env (Ix2 x))))
  (0 (bind (Ix1 x) (Ix1 r) flag (Ix0 r))
     (1 (Ix1 r))))))

; law

; would a law body read the constant v as code? whole: v is the whole body; top: largest reference
(def is-code (Pin (law (is-code whole top v)
  (@ h (Hd v))
  (@ n (Sz v))
  (@ zero (And (IsNat h) (Nil h)))
  (@ one  (And (IsNat h) (Eq 1 h)))
  (If (IsNat v) (Le v top)
    (And (IsApp v)
      (If (Eq n 1) (Or zero one)
        (And (Eq n 2) (Or zero (And whole one)))))))))

(def constant (Pin (law (constant whole top v)
  (If (is-code whole top v) (0 v) v))))

; f applied to the code of the slots i to n of x
(def chain (Pin (law (chain code env locals top f i n x)
  (@ a (code env locals top 0 (Ix i x)))
  (Seq f
    (If (Lt i n)
      (Seq a (chain code env locals top (0 f a) (Inc i) n x))
      f)))))

(def code-symbol (Pin (law (code-symbol env locals top whole x)
  (@ local  (find x locals))
  (@ global (find x env))
  (If local (Ix1 local)
    (If global (constant whole top (Ix1 global))
      (throw (glue "undefined-" x)))))))

(def code (Pin (law (code env locals top whole x)
  (Case3 (kind x)
    (Case3 (Sz x)
      (constant whole top 0)
      (code env locals top whole (Ix0 x))
      (chain code env locals top (code env locals top 0 (Ix0 x)) 1 (Sz x) x))
    (constant whole top (Ix0 x))
    (code-symbol env locals top whole x)))))

; a binding (@ name expr) as the row (name expanded); the name applied to the expression takes both
(def expand-binding (Pin (law (expand-binding env b)
  (@ pair ((Ix1 b) (Ix2 b)))
  (@ r    (expand env (Ix0 pair)))
  (0 (Ix0 r) (0 (Nat (Hd pair)) (Ix1 r))))))

(def name-slots (Pin (law (name-slots i n row index t)
  (If (Lt i n)
    (name-slots (Inc i) n row (Inc index) (bind (Nat (Ix i row)) index 0 t))
    t))))

(def name-bindings (Pin (law (name-bindings i n row index t)
  (If (Lt i n)
    (name-bindings (Inc i) n row (Inc index) (bind (Ix0 (Ix i row)) index 0 t))
    t))))

; the bindings i to n around the code of the body
(def bindings (Pin (law (bindings env locals top i n row body)
  (If (Lt i n)
    (1 (code env locals top 0 (Ix1 (Ix i row)))
       (bindings env locals top (Inc i) n row body))
    (code env locals top 1 body)))))

(def law-macro (Pin (law ("law" env x)
  (@ sig    (Ix1 x))
  (@ arity  (Dec (Sz sig)))
  (@ count  (Sub (Sz x) 3))
  (@ head   (Ix0 sig))
  (@ name   (If (IsNat head) head (Ix0 head)))
  (@ first  (thread expand-binding 2 (Dec (Sz x)) x env 0))
  (@ row    (Ix1 first))
  (@ second (expand (Ix0 first) (Last x)))
  (@ env2   (Ix0 second))
  (@ locals (name-bindings 0 count row (Inc arity) (name-slots 0 (Sz sig) sig 0 0)))
  (@ made   (mklaw name arity
    (bindings env2 locals (Add arity count) 0 count row (Ix1 second))))
  (Seq made (0 env2 (1 made))))))

; the reader: from a list of bytes to the row (form rest)

(def is-space (Pin (law (is-space c)
  (Or (Eq c 32) (Or (And (Le 9 c) (Le c 10)) (And (Le 12 c) (Le c 13)))))))

(def opens (Pin (law (opens c) (Or (Eq c 40) (Or (Eq c 91) (Eq c 123))))))

(def is-symbol (Pin (law (is-symbol c)
  (And (Lt 32 c) (And (Ne c 127)
    (Nil (Or (opens c) (Or (Eq c 34) (Or (Eq c 41)
         (Or (Eq c 59) (Or (Eq c 93) (Eq c 125))))))))))))

; without the bytes up to the first byte c, or up to the end
(def after (Pin (law (after c bytes)
  (And bytes (If (Eq c (Ix0 bytes)) bytes (after c (Ix1 bytes)))))))

(def skip (Pin (law (skip bytes)
  (And bytes
    (If (Eq 59 (Ix0 bytes)) (skip (after 10 bytes))
      (If (is-space (Ix0 bytes)) (skip (Ix1 bytes))
        bytes))))))

; the row (form rest) of a token
(def token (Pin (law (token i text digits value bytes)
  (@ c (Ix0 bytes))
  (@ digit (And (Le 48 c) (Le c 57)))
  (If (And bytes (is-symbol c))
    (Seq (Store8 i c text)
      (token (Inc i) (Store8 i c text) (And digits digit)
        (And digit (Add (Mul 10 value) (Sub c 48))) (Ix1 bytes)))
    (0 (If digits (1 value) text) bytes)))))

(def quoted (Pin (law (quoted i text bytes)
  (@ c (Ix0 bytes))
  (If (And bytes (Ne 34 c))
    (Seq (Store8 i c text) (quoted (Inc i) (Store8 i c text) (Ix1 bytes)))
    (0 (1 text) (Ix1 bytes))))))

(def elements (Pin (law (elements read close out bytes)
  (@ at (skip bytes))
  (@ r  (read at))
  (If (And at (Eq close (Ix0 at)))
    (0 (rev-row out 0 0) (Ix1 at))
    (Seq r (elements read close (0 (Ix0 r) out) (Ix1 r)))))))

(def tagged (Pin (law (tagged name r)
  (0 (0 name (Ix0 r)) (Ix1 r)))))

(def nest (Pin (law (nest read c bytes)
  (If (Eq c 40) (elements read 41 0 bytes)
    (If (Eq c 91) (tagged "BRACED" (elements read 93 0 bytes))
      (tagged "CURLED" (elements read 125 0 bytes)))))))

(def read (Pin (law (read bytes)
  (@ c    (Ix0 bytes))
  (@ word (token 0 0 1 0 bytes))
  (@ next (Ix1 word))
  (@ more (nest read (Ix0 next) (Ix1 next)))
  (If (opens c) (nest read c (Ix1 bytes))
    (If (Eq c 34) (quoted 0 0 (Ix1 bytes))
      (If (And bytes (is-symbol c))
        (If (opens (Ix0 next))
          (0 (0 (Ix0 word) (Ix0 more)) (Ix1 more))
          word)
        (misread (0 "unexpected" c))))))))

; the read loop

(def repl (Pin (law (repl env bytes)
  (@ at   (skip bytes))
  (@ r    (read at))
  (@ form (Ix0 r))
  (@ out  (try (0 (eval env) form)))
  (@ pair (Ix0 out))
  (@ next (Ix1 (find "__REPL" (Ix0 pair))))
  (Ifz at 0
    (Seq form
      (Seq (trace (0 form 0))
        (If (Nat (Hd out))
          (Seq (trace (0 ("ERROR" out) 0)) 1)
          (Seq (trace (0 (Ix1 pair) 0))
            (next (Ix0 pair) (Ix1 r))))))))))

; what is still to come on standard input, and then the list end: a list of bytes that is read when it
; is looked at

(def input (Pin 10))

(def listed (Pin (law (listed rest end i n buffer)
  (@ byte (prim (99 i buffer)))
  (If (Lt i n)
    (Seq byte (0 byte (listed rest end (Inc i) n buffer)))
    (rest end)))))

(def rest (Pin (law (rest end)
  (@ r (input (0 0 (prim (39 32768)) 4096 0)))
  (If (And (IsApp r) (Hd r)) (listed rest end 0 (Hd r) (Ix0 r)) end))))
