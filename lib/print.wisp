(require "io")
; Values as Wisp text.
;
; Invariants:
; - planWisp turns a value into a form, wispShow and wispPretty turn a form into text;
; - `deep` is 1 to show what pins and laws contain, 0 to show them by name;
; - naturals and strings are the same kind of value: one is shown as a string if it has at least
;   two bytes, all printable (ASCII, tab, line feed), and at least five or looks like a word.

; 1 if a name can be read back as a symbol.
(defun (%symbolic s) (And s (strAll isSymChr s)))
(defun (%pin-form planWisp deep x)
  (@ item (Unpin x))
  (If (And (Nil deep) (%symbolic (Name item))) (Name item)
    ["Pin" (planWisp deep item)]))
(defun (%law-form planWisp deep x)
  ["CURLED" [(planWisp deep (Name x)) (1 (Arity x)) (If deep (planWisp 1 (Body x)) "..")]])
; Lists are chains of rows of two: whether x is one link, and the length of a chain that ends with
; 0 (else 0).
(defun (%link x) (And (Eq 2 (Sz x)) (Nil (Hd x))))
(defun (%chain x n) (Seq n (If (%link x) (%chain (Ix1 x) (Inc n)) (If (Nil x) n 0))))
; The form of a chain that does not end with 0, which need not be looked for again.
(defun (%open-chain planWisp deep x)
  (@ rest (Ix1 x))
  ["BRACED" [(planWisp deep (Ix0 x))
             (If (%link rest) (%open-chain planWisp deep rest) (planWisp deep rest))]])
(defun (%app-form planWisp deep x)
  (@ n     (%chain x 0))
  (@ slots (map (planWisp deep) x))
  (If (%link x)
    (If (Gt n 2) ["~" ["BRACED" (map (planWisp deep) (array x))]]
      (If n ["BRACED" slots] (%open-chain planWisp deep x)))
    (If (Nil (Hd x)) ["BRACED" slots] (cons (planWisp deep (Hd x)) slots))))
(defun (planWisp deep x)
  "The form that shows a value: rows in [], laws as {name arity ..}, pins by name.
Lists of three elements and more are shown as ~[a b c].
(planWisp 0 [1 Inc])  => ['BRACED' [(1 1) 'Inc']]"
  (Case4 (Type x)
    (1 x)
    (%pin-form planWisp deep x)
    (%law-form planWisp deep x)
    (%app-form planWisp deep x)))

;; On one line

(defun (%quotable c) (Or (isPrint c) (Eq c 34)))
; 1 if a natural looks like text: no number below 2^32 does that is not a word of letters.
(defun (%textual n)
  (If (Lt n 256) 0
    (If (Lt n 4294967296)
      (And (isAlpha (Load8 0 n)) (strAll {c -> (Or (isAlnum c) (Or (Eq c 45) (Eq c 95)))} n))
      (strAll %quotable n))))
(defun (show-nat-or-str n)
  "A natural as a string literal if it looks like text, else in decimal.
A string with double quotes in it is shown as a text form.
(show-nat-or-str 65)  => '65'
(show-nat-or-str 9000)  => '9000'"
  (If (Nil (%textual n)) (showNat n)
    (If (strNone (Eq 34) n) (str-concat [34 n 34])
      (str-concat ["(text " 34 (str-replace 34 "\q" (str-replace "\" "\\" n)) 34 ")"]))))
; What a form is: 0 list in parentheses, 1 in brackets, 2 in braces.
(defun (%kind-of x)
  (And (Eq 2 (Sz x)) (And (Or (IsApp (Ix1 x)) (Nil (Ix1 x)))
    (If (Eq "BRACED" (Ix0 x)) 1 (And (Eq "CURLED" (Ix0 x)) 2)))))
(defun (%opening kind) (Load8 kind "([{"))
(defun (%closing kind) (Load8 kind ")]}"))

; The strings of a form before those of rest, as a lazy list: their number and not their nesting
; is what showing costs. Slots i and on of a row, with a space before all but the first.
(defun (%slot-pieces show slots i end rest)
  (@ more (show (Ix i slots) (%slot-pieces show slots (Inc i) end rest)))
  (If (Ge i (Sz slots)) [end rest] (If i [" " more] more)))
; ~[a b] is written without a space, as it is read.
(defun (%tilde x) (And (Eq 2 (Sz x)) (And (Eq "~" (Ix0 x)) (Eq 1 (%kind-of (Ix1 x))))))
(defun (%form-pieces deep x rest)
  (@ kind  (%kind-of x))
  (@ slots (If kind (Ix1 x) x))
  (@ v     (Ix0 x))
  (Case3 (Hd x)
    (If (IsApp x)
      (If (%tilde x) ["~" (%form-pieces deep (Ix1 x) rest)]
        [(%opening kind) (%slot-pieces (%form-pieces deep) slots 0 (%closing kind) rest)])
      ["()" rest])
    (If (IsNat v) [(show-nat-or-str v) rest] ["#" (%form-pieces deep (planWisp deep v) rest)])
    [(If (IsNat x) x "()") rest]))
(defun (wispShow deep x) "A form as text on one line. O(n log n) for a text of n bytes.
(wispShow 1 'abc')  => 'abc'" (lstrcat (%form-pieces deep x 0)))

;; On several lines

(defun (%indent n) (strWeld 10 (str-repeat n " ")))
; 1 if a list of strings is at most n bytes long; looks no further than that.
(defun (%fits n pieces)
  (If (Nil pieces) 1
    (And (Le (Bytes (Ix0 pieces)) n) (%fits (Sub n (Bytes (Ix0 pieces))) (Ix1 pieces)))))
(defun (%slot-lines pretty indent slots i end rest)
  (@ more (pretty indent (Ix i slots) (%slot-lines pretty indent slots (Inc i) end rest)))
  (If (Ge i (Sz slots)) [end rest] (If i [(%indent indent) more] more)))
; As %form-pieces, broken between the slots of what does not fit; not beyond 40 columns of indent.
(defun (%pretty-pieces deep indent x rest)
  (@ kind  (%kind-of x))
  (@ slots (If kind (Ix1 x) x))
  (@ flat  (Or (Hd x) (Or (And (Nil kind) (Lt (Sz slots) 2)) (Gt indent 40))))
  (If (Or flat (%fits (Sub 80 indent) (%form-pieces deep x 0)))
    (%form-pieces deep x rest)
    (If (%tilde x) ["~" (%pretty-pieces deep (Inc indent) (Ix1 x) rest)]
      [(%opening kind)
       (%slot-lines (%pretty-pieces deep) (Inc indent) slots 0 (%closing kind) rest)])))
(defun (wispPretty deep x)
  "A form as text, on several indented lines where one would exceed 80 columns.
(wispPretty 1 'abc')  => 'abc'" (lstrcat (%pretty-pieces deep 0 x 0)))

(defun (show x) "A value as Wisp text on one line.
(show 65)  => '65'"
  (wispShow 0 (planWisp 0 x)))
(defun (print x) "Writes a value as Wisp text, and a line feed, to standard output; gives 0."
  (print-line (wispPretty 0 (planWisp 0 x))))
(defun (print-sexpr x) "Writes a form as Wisp text, and a line feed, to standard output; gives 0."
  (print-line (wispPretty 1 x)))
