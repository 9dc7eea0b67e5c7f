(require "struct")
; Types with several constructors, and dispatch on them.
;
; Invariants:
; - the constructors of a type are 0, 1, 2 ...: (CTOR a b) is the constructor applied to the
;   fields, a constructor without fields is the number itself;
; - the branches of union-switch cover the constructors from 0 on, each once.

(def .0 Ix0)
(def .1 Ix1)
(def .2 Ix2)
(document .0 "Field 0 of a constructor applied to fields.")
(document .1 "Field 1 of a constructor applied to fields.")
(document .2 "Field 2 of a constructor applied to fields.")

(defun (lzip xs ys)
  "The list of the pairs of the elements of two lists, as long as the shorter one."
  (if (and xs ys) [[(Ix0 xs) (Ix0 ys)] (lzip (Ix1 xs) (Ix1 ys))] 0))

(defun (%zip i n xs ys out)
  (if (Eq i n) out (%zip (Inc i) n xs ys [[(Ix (Dec (Sub n i)) xs) (Ix (Dec (Sub n i)) ys)] out])))

(defun (zip xs ys)
  "The row of the pairs of the elements of two rows, as long as the shorter one.
(zip [1 2] [3 4 5])  => [[1 3] [2 4]]"
  (let ((n (min (Sz xs) (Sz ys))))
    (Row 0 n (%zip 0 n xs ys 0))))

(defun (%constructor-name form)
  (if (%is-caps form) form (Error ("expected-constructor-name" form))))

; The definitions of the constructors from slot i on.
(defun (%constructors i form out)
  (let ((c (Ix i form)))
    (if (Eq i (Sz form)) out
      (Seq (%constructor-name (Ix0 c))
        (%constructors (Inc i) form (out ["%def" (Ix0 c) (1 (Sub i 2))]))))))

(defmacro (deftype env form)
  "(deftype Type (CTOR Type ...) ...) binds the constructors of a type to 0, 1, 2 ...
(CTOR a ...) makes a value, match takes it apart with the pattern CTOR[a ...]."
  (if (%is-name (Ix1 form))
    [env (%definitions (%constructors 2 form [(1 0) (1 0)]))]
    (Error ("bad-type" (Ix1 form)))))

; The constructor of a branch.
(defun (%branch-tag env branch)
  (let ((node (%find (Ix0 branch) env)))
    (cond
      ((or (Ne 2 (Sz branch)) (Hd branch)) (Error ("invalid-branch" branch)))
      ((Nil (%is-name (Ix0 branch))) (Error ("expected-constructor-name" (Ix0 branch))))
      ((Nil node) (Error ("unbound-constructor" (Ix0 branch))))
      ((IsNat (Ix1 node)) (Ix1 node))
      (else (Error ("constructor-not-nat" (Ix0 branch)))))))

; The row of the branches' expressions by constructor, row being filled with the literal of 0 so
; far.
(defun (%branches env i form seen row)
  (if (Eq i (Sz form)) row
    (let* ((branch (Ix i form)) (tag (%branch-tag env branch)))
      (cond
        ((Test tag seen) (Error ("non-unique-constructors" (stream (drop 2 form)))))
        ((Le (Sz row) tag) (Error ("non-contiguous-constructors" (stream (drop 2 form)))))
        (else (%branches env (Inc i) form (Set tag seen) (Up tag (Ix1 branch) row)))))))

; The form that chooses among the expressions of a row from i on; tag is the form of what is left
; of the number to choose by.
(defun (%choose i row tag)
  (let ((e {k -> (Ix (Add i k) row)}) (n (Sub (Sz row) i)))
    (case n
      (1 (e 0))
      (2 [(1 Ifz) tag (e 0) (e 1)])
      (3 [(1 Case3) tag (e 0) (e 1) (e 2)])
      (4 [(1 Case4) tag (e 0) (e 1) (e 2) (e 3)])
      (else [(1 Case5) tag (e 0) (e 1) (e 2) (e 3)
              (%choose (Add i 4) row [(1 Sub) "%case" (1 (Add i 4))])]))))

(defmacro (union-switch env form)
  "(union-switch e (CTOR expr) ...): the expression beside the constructor at the head of e.
The constructors are those of a type, each once; the last one's branch takes any other head too."
  (let ((n (Sub (Sz form) 2)))
    (if (Nil n)
      (Error "empty switch")
      [env ["%let" [["%case" [(1 Hd) (Ix1 form)]]]
             (%choose 0 (%branches env 2 form 0 (Rep 0 (1 0) n)) "%case")]])))
