(require "lambda")
; Forms as values: quotation and quasi-quotation.
;
; Invariants:
; - the reader knows neither ', ` nor the comma: they are bytes of symbols, so '(x) reads as ('
;   (x)), ,x as one symbol and ,(f x) as (, (f x));
; - what contains no unquoted part becomes one literal.

(defmacro (' env form)
  "'(x) is the form x itself."
  (let ((row (Ix1 form)))
    (if (and (Eq 2 (Sz form)) (Nil (Hd row)) (Eq 1 (Sz row)))
      [env (1 (Ix0 row))]
      (%wrong "a quotation is '(form), of one form; a row is [a b], a list ~[a b]" form))))

; The number of commas a symbol begins with.
(defun (%commas symbol)
  (if (Eq 44 (Trunc8 symbol)) (Inc (%commas (Rsh symbol 8))) 0))

; Whether a form is `(..), ,(..) or ,@(..) by its mark.
(defun (%marked mark form)
  (and (IsApp form) (Nil (Hd form)) (Eq 2 (Sz form)) (IsNat (Ix0 form)) (Eq mark (Ix0 form))
    (Eq 0 (%kind (Ix1 form)))))

; A form that builds the row of a mark and what a form evaluates to.
(defun (%remark mark form)
  (if (Eq 1 (%kind form)) (1 [mark (Ix0 form)]) [(1 0) (1 mark) form]))

(defun (%unquoted n symbol at)
  (let ((name (Rsh symbol 8)))
    (cond
      ((Lt 1 n) (%remark "," (%unquoted (Dec n) name at)))
      ((Eq 64 (Trunc8 name)) (%wrong ",@ may only stand in a list" at))
      ((Nil name) (%wrong ", needs a name or a list behind it" at))
      (else name))))

(defun (%quasi-symbol depth symbol at)
  (let ((n (%commas symbol)))
    (cond
      ((Lt n depth) (1 symbol))
      ((Lt depth n) (%wrong "more commas than quasi-quotations around them" at))
      (else (%unquoted n symbol at)))))

; The expression of an element whose elements are to be spliced in; 0 for another element.
(defun (%spliced depth x)
  (cond
    ((Ne 1 depth) 0)
    ((%marked ",@" x) (Ix1 x))
    ((and (IsNat x) (Eq ",@" (Trunc16 x))) (Rsh x 16))
    (else 0)))

; Appends the elements i and on to the expressions of a row, which builds their values.
(defun (%quasi-slots quasi depth i x row)
  (let ((e (Ix i x)))
    (cond
      ((Eq i (Sz x)) row)
      ((%spliced depth e)
        [(1 weld) [(1 weld) row (%spliced depth e)]
          (%quasi-slots quasi depth (Inc i) x [(1 0)])])
      (else (%quasi-slots quasi depth (Inc i) x (row (quasi depth e x)))))))

; The literal of a row of literals' values; 0 if some slot from i on is no literal.
(defun (%literals i row out)
  (cond
    ((Eq i (Sz row)) (1 out))
    ((Eq 1 (%kind (Ix i row))) (%literals (Inc i) row (out (Ix0 (Ix i row)))))
    (else 0)))

(defun (%quasi-list quasi depth x)
  (let ((row (%quasi-slots quasi depth 0 x [(1 0)])))
    (or (%literals 1 row 0) (if (Eq 1 (Sz row)) (1 0) row))))

; A form whose value is the form x with its unquoted parts replaced by their values.
(defun (%quasi depth x at)
  (cond
    ((Eq 2 (%kind x)) (%quasi-symbol depth x at))
    ((or (Eq 1 (%kind x)) (Nil (Sz x))) (1 x))
    ((%marked "`" x) (%remark "`" (%quasi (Inc depth) (Ix1 x) x)))
    ((%marked "," x)
      (if (Eq 1 depth) (Ix1 x) (%remark "," (%quasi (Dec depth) (Ix1 x) x))))
    ((%marked ",@" x)
      (if (Eq 1 depth)
        (%wrong ",@ may only stand in a list" at)
        (%remark ",@" (%quasi (Dec depth) (Ix1 x) x))))
    (else (%quasi-list %quasi depth x))))

(defmacro (` env form)
  "`(form ...) is that list of forms, with values in the place of what a comma marks.
,x and ,(f x) put a value in, ,@x and ,@(f x) the elements of a row.
(let ((x 5)) `(a ,x))  => [97 5]"
  (if (%marked "`" form)
    [env (%quasi 1 (Ix1 form) form)]
    (%wrong "a quasi-quotation is `(form ...)" form)))
