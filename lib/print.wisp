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
(defun (%app-form planWisp deep x)
  (@ slots (map (planWisp deep) x))
  (If (Nil (Hd x)) ["BRACED" slots] (cons (planWisp deep (Hd x)) slots)))
(defun (planWisp deep x)
  "The form that shows a value: rows in [], laws as {name arity ..}, pins by name.
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
(defun (wispShow deep x) "A form as text on one line.
(wispShow 1 'abc')  => 'abc'"
  (@ kind (%kind-of x))
  (@ slots (If kind (Ix1 x) x))
  (@ words (map (wispShow deep) slots))
  (Case3 (Hd x)
    (If (IsApp x) (str-concat [(Load8 kind "([{") (str-join " " words) (Load8 kind ")]}")])
      "()")
    (let ((v (Ix0 x)))
      (If (IsNat v) (show-nat-or-str v) (strWeld "#" (wispShow deep (planWisp deep v)))))
    (If (IsNat x) x "()")))

;; On several lines

(defun (%indent n) (strWeld 10 (str-repeat n " ")))
(defun (%pretty deep indent x)
  (@ line (wispShow deep x))
  (@ kind (%kind-of x))
  (@ slots (If kind (Ix1 x) x))
  (@ inner (Inc indent))
  (If (Or (Le (Add indent (Bytes line)) 80) (Or (Hd x) (Lt (Sz slots) 2))) line
    (str-concat [(Load8 kind "([{")
      (str-join (%indent inner) (map (%pretty deep inner) slots))
      (Load8 kind ")]}")])))
(defun (wispPretty deep x)
  "A form as text, on several indented lines where one would exceed 80 columns.
(wispPretty 1 'abc')  => 'abc'" (%pretty deep 0 x))

(defun (show x) "A value as Wisp text on one line.
(show 65)  => '65'"
  (wispShow 0 (planWisp 0 x)))
(defun (print x) "Writes a value as Wisp text, and a line feed, to standard output; gives 0."
  (print-line (wispPretty 0 (planWisp 0 x))))
(defun (print-sexpr x) "Writes a form as Wisp text, and a line feed, to standard output; gives 0."
  (print-line (wispPretty 1 x)))
