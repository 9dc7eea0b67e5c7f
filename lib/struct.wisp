(require "quote")
; Records: rows with named fields.
;
; Invariants:
; - a record is a row of its fields in order, so its constructor is the number 0;
; - the names of constructors consist of upper-case letters only.

(defun (%all-caps name)
  (and name (Le 65 (Trunc8 name)) (Le (Trunc8 name) 90)
    (or (Nil (Rsh name 8)) (%all-caps (Rsh name 8)))))

(defun (%is-caps form) (and (Eq 2 (%kind form)) (IsNat form) (%all-caps form)))

; A form that evaluates the forms of a row, in front of which stands the literal of 0, for their
; definitions only.
(defun (%definitions forms) [(1 Ix0) forms])

(defun (%is-field field) (and (Nil (Hd field)) (Eq 2 (Sz field)) (%is-name (Ix0 field))))

(defun (%all-fields i form)
  (or (Eq i (Sz form)) (and (%is-field (Ix i form)) (%all-fields (Inc i) form))))

(defun (%pinned-law sig body) [(1 Pin) ["%law" sig body]])

; The definitions of getters and setters for the fields from slot i on.
(defun (%accessors i form out)
  (if (Eq i (Sz form)) out
    (let* ((name (Ix0 (Ix i form)))
           (get  (Add 46 (Lsh name 8)))
           (set  (Add name (Lsh 61 (Lsh (Bytes name) 3))))
           (k    (Sub i 3)))
      (%accessors (Inc i) form
        (out ["%def" get (%pinned-law [get "s"] (%element k "s"))]
             ["%def" set (%pinned-law [set "x" "s"] [(1 Up) (1 k) "x" "s"])])))))

(defmacro (defstruct env form)
  "(defstruct Type CTOR (field Type) ...) defines records with these fields.
(CTOR a ...) makes a record, (.field r) reads a field, (field= x r) is r with the field x."
  (cond
    ((not (%is-caps (Ix2 form))) (Error ("bad-cnstr" (Ix2 form))))
    ((not (%all-fields 3 form)) (Error ("bad-fields" (stream (drop 3 form)))))
    (else [env (%definitions (%accessors 3 form [(1 0) (1 0) ["%def" (Ix2 form) (1 0)]]))])))
