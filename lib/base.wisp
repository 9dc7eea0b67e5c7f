(require "op")
; Simple definitions, rows, equality and checks: enough to write the compiler with.
;
; Invariants:
; - macros build their results from literals of values and from %law, %def and %macro, so that they
;   keep their meaning whatever a program binds;
; - the forms defined here as defun, defmacro and {} are replaced by the compiler's (module
;   lambda).

; Forms.

; The row f with the slots i to n of a row behind its own; f may be 0.
(def %slots (Pin (law (%slots f i n row)
  (@ m (Sub n i))
  (@ k (Sz f))
  (Copy m i k row (Copy k 0 0 f (Rep 0 0 (Add k m)))))))

; 1 if a form is a literal, 2 if it is a symbol, 0 if it is a list.
(def %kind (Pin (law (%kind form)
  (@ head (Hd form))
  (If (IsNat head) (Case3 head 0 1 2) 0))))

; Throws that a form is wrong.
(def %wrong (Pin (law (%wrong text form) (%syntax (0 text form)))))

; The elements of what stands in square brackets; 7 if it is something else.
(def %bracket (Pin (law (%bracket form)
  (If (And (Eq 2 (Sz form)) (And (Nil (Hd form)) (Eq "BRACED" (Ix0 form))))
    (Ix1 form)
    7))))

; The name a signature defines.
(def %sig-name (Pin (law (%sig-name what form)
  (@ sig  (Ix1 form))
  (@ name (Ix0 sig))
  (If (And (Eq 0 (%kind sig)) (And (Lt 1 (Sz sig)) (And (IsNat name) (Lt 1 name))))
    name
    (%wrong what form)))))

; The doc string of a definition: the literal in slot 2, if more follows; otherwise 0.
(def %doc-of (Pin (law (%doc-of form)
  (If (And (Lt 3 (Sz form)) (Eq 1 (%kind (Ix2 form)))) (Ix2 form) 0))))

; What follows the doc string of a definition, appended to f.
(def %rest-of (Pin (law (%rest-of f form)
  (%slots f (If (%doc-of form) 3 2) (Sz form) form))))

(macro pinlaw (Pin (law (pinlaw env form)
  (0 env (0 (1 Pin) (%slots (0 "%law") 1 (Sz form) form))))))

(macro defun (Pin (law (defun env form)
  (@ name (%sig-name "defun needs (defun (name arg ...) body)" form))
  (0 (%document name (%doc-of form) env)
     (0 "%def" name (0 (1 Pin) (%rest-of (0 "%law" (Ix1 form)) form)))))))

(macro defmacro (Pin (law (defmacro env form)
  (@ name (%sig-name "defmacro needs (defmacro (name env form) body)" form))
  (0 (%document name (%doc-of form) env)
     (0 "%macro" name (0 (1 Pin) (%rest-of (0 "%law" (Ix1 form)) form)))))))

(document pinlaw "(pinlaw (name arg ...) body): the pinned law.")

(defmacro (BRACED env form)
  "[a b c] is the row of the values of a, b and c; [] is 0.
[1 2]  => [1 2]"
  (@ row (Ix1 form))
  (0 env (If row (%slots (0 (1 0)) 0 (Sz row) row) (1 0))))

; The place of the last form before the arrow; the arrow may be missing.
(defun (%arrow row)
  (@ last  (Dec (Sz row)))
  (@ arrow (Ix (Dec last) row))
  (If (And (IsNat arrow) (Or (Eq "->" arrow) (Eq "." arrow))) (Dec last) last))

(defmacro (CURLED env form)
  "{a b -> body} is the function of a and b."
  (@ row   (Ix1 form))
  (@ outer (Ix0 row))
  (@ from  (And (Eq 2 (Sz outer)) (Eq "CURLED" (Ix0 outer))))
  (@ held  (And from (Ix1 outer)))
  (@ sig   (%slots (%slots (0 (1 "_")) 0 (Sz held) held) from (%arrow row) row))
  (@ law   (0 "%law" sig (Last row)))
  (0 env (If held (%slots (0 law) 0 (Sz held) held) law)))

; Functions.

(defun (id x) "x." x)
(defun (const x y) "x, whatever y is." x)
(defun (compose f g x) "(f (g x))." (f (g x)))
(defun (flip f x y) "(f y x)." (f y x))
(defun (max a b) "The greater of two naturals." (If (Lt a b) b a))
(defun (min a b) "The smaller of two naturals." (If (Lt b a) b a))
(defun (odd x) "1 if the natural x is odd, otherwise 0." (Trunc 1 x))
(defun (even x) "1 if the natural x is even, otherwise 0." (Nil (Trunc 1 x)))

(def NONE 0)
(def SOME 0)
(document NONE "No value: 0.")
(document SOME "(SOME x) is [x].")

; Rows and lists. A list is 0 or [first rest].

; How much of a row follows from end on is not looked at.
(defun (streamed i end row)
  "The list of the elements i to end - 1 of a row."
  (If (Lt i end) (0 (Ix i row) (streamed (Inc i) end row)) 0))

(defun (stream row) "The list of the elements of a row." (streamed 0 (Sz row) row))

(defun (%stream-rev i n row out)
  (If (Lt i n) (%stream-rev (Inc i) n row (0 (Ix i row) out)) out))

(defun (stream-rev row) "The list of the elements of a row, last one first."
  (%stream-rev 0 (Sz row) row 0))

(defun (lweld a b) "The list of the elements of the list a, then those of the list b."
  (If a (0 (Ix0 a) (lweld (Ix1 a) b)) b))

(defun (weld a b) "The row of the elements of a, then those of b.
(weld [1 2] [3])  => [1 2 3]"
  (@ m (Sz a))
  (@ n (Sz b))
  (Copy n 0 m b (Copy m 0 0 a (Rep 0 0 (Add m n)))))

(defun (cons x row) "The row of x, then the elements of row.
(cons 1 [2 3])  => [1 2 3]"
  (weld [x] row))

(defun (take n row) "The first n elements of a row, or all if there are fewer."
  (@ m (min (Nat n) (Sz row)))
  (Copy m 0 0 row (Rep 0 0 m)))

(defun (drop n row) "A row without its first n elements.
(drop 1 [2 3])  => [3]"
  (@ m (Sub (Sz row) n))
  (Copy m n 0 row (Rep 0 0 m)))

; Equality.

(defun (pinEq eql x y) "1 if x and y are pins of items that eql calls equal."
  (And (IsPin x) (And (IsPin y) (Or (RefEq x y) (eql (Unpin x) (Unpin y))))))

(defun (lawEq eql x y) "1 if x and y are laws whose names, arities and bodies eql calls equal."
  (And (IsLaw x) (And (IsLaw y)
    (And (eql (Name x) (Name y)) (And (eql (Arity x) (Arity y)) (eql (Body x) (Body y)))))))

(defun (%row-eq eql x y i n)
  (Or (Ge i n) (And (eql (Ix i x) (Ix i y)) (%row-eq eql x y (Inc i) n))))

(defun (rowEq eql x y)
  "1 if x and y are applications whose heads and arguments eql calls equal."
  (And (IsApp x) (And (IsApp y) (And (Eq (Sz x) (Sz y)) (And (eql (Hd x) (Hd y))
    (%row-eq eql x y 0 (Sz x)))))))

(defun (planEq x y) "1 if x and y are the same value, otherwise 0.
(planEq [1 2] [1 2])  => 1"
  (Eq 1 (Cmp x y)))

; Checks.

(defun (%assertion ok form)
  (If (And (IsNat ok) (Eq 1 ok)) 0 (Error ("assertion-failed" form))))

(defmacro (assert env form)
  "(assert e) throws if the value of e is not 1."
  (0 env (0 (1 %assertion) (Ix1 form) (1 (Ix1 form)))))

(defun (%equal expected actual form)
  (If (planEq expected actual) 0
    (xtrace (Force (0 "expected" expected "actual" actual)) (Error ("assertion-failure" form)))))

; A row of the checks of the pairs in the slots i to n of a tests form.
(defun (%pairs row i n form)
  (@ pair  (Ix i form))
  (@ check (0 (1 %equal) (Ix0 pair) (Ix1 pair) (1 pair)))
  (If (Lt i n)
    (If (Eq 2 (Sz pair))
      (%pairs (row check) (Inc i) n form)
      (%wrong "tests needs pairs (expected actual)" form))
    row))

(defmacro (tests env form)
  "(tests (expected actual) ...) throws if the values of a pair differ."
  (0 env (0 (1 DeepSeq) (%pairs (0 (1 0)) 1 (Sz form) form) (1 0))))
