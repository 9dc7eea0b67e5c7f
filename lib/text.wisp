(require "print")
(require "map")
; Text with escapes, and templates that are filled in.
;
; Invariants:
; - both macros work at expansion time: a program contains only finished strings;
; - a mistake in a literal is a Syntax error at that literal.

;; Escapes

; Escapes of one character: the character and the byte it stands for.
(define %escapes (map-from
  [["n" 10] ["t" 9] ["r" 13] ["0" 0] ["e" 27] ["q" 34] ["\" 92] ["'" 39]]))

; [byte rest] of an escape, the list starting behind the backslash; node is blamed for mistakes.
(defun (%escape node l)
  (@ hit (map-get (Ix0 l) %escapes))
  (@ hex (parse-hex (limplode (ltake 2 (Ix1 l)))))
  (If hit [(Ix0 hit) (Ix1 l)]
    (If (And (Eq 120 (Ix0 l)) (And hex (Ix1 (Ix1 l)))) [(Ix0 hex) (ldrop 3 l)]
      ((Pin "Syntax") ["an escape is \n \t \r \0 \e \q \\ or \x and two hex digits" node]))))
(defun (%unescape node l)
  (And l
    (If (Eq 92 (Ix0 l))
      (let ((r (%escape node (Ix1 l)))) [(Ix0 r) (%unescape node (Ix1 r))])
      [(Ix0 l) (%unescape node (Ix1 l))])))
(defun (%is-string x) (And (IsApp x) (Eq 1 (Nat (Hd x)))))
(defun (unescape node s)
  "A string with its escapes done; a mistake is a Syntax error at the form node.
(unescape 0 'a\x62\\c')  => 'ab\c'" (limplode (%unescape node (lexplode s))))

(defmacro (text env form)
  "(text 'string' ...): the strings joined, with escapes done.
They are \n line feed, \t tab, \r carriage return, \0 NUL, \e escape, \q double quote,
\\ backslash, \xNN the byte NN.
(text 'a\x62' 'c')  => 'abc'"
  (@ parts (drop 1 form))
  (@ part  {x -> (If (%is-string x) (unescape x (Ix0 x))
                   ((Pin "Syntax") ["text takes string literals" x]))})
  (If parts [env (1 (str-concat (map part parts)))]
    ((Pin "Syntax") ["text takes string literals" form])))

;; Templates

(defun (show-value x) "A natural in decimal, anything else as Wisp text.
(show-value 25185)  => '25185'" (If (IsNat x) (showNat x) (show x)))
; What may stand in braces, and the function that makes a string of the argument.
(define %shows (map-from [["" show-value] ["s" Nat] ["x" show-hex] ["v" show]]))

; The pieces of a template: literals 1[string] and functions 0[f]; l is the template with escapes
; undone, `part` the bytes of the literal so far, last one first.
(defun (%literal part) [(1 (limplode (lrev part))) 0])
(defun (%hole pieces node l part)
  (@ split (lspan (Ne 125) l))
  (@ f     (map-get (limplode (Ix0 split)) %shows))
  (If (And f (Ix1 split))
    (lweld (%literal part) [(0 (Ix0 f)) (pieces node (Ix1 (Ix1 split)) 0)])
    ((Pin "Syntax") ["a template takes {} {s} {x} or {v}; a brace is written {{" node])))
(defun (%pieces node l part)
  (@ c (Ix0 l))
  (@ d (Ix0 (Ix1 l)))
  (If (Nil l) (%literal part)
    (If (And (Or (Eq c 123) (Eq c 125)) (Eq c d))
      (%pieces node (Ix1 (Ix1 l)) [c part])
      (If (Eq c 123) (%hole %pieces node (Ix1 l) part)
        (If (Eq c 125) ((Pin "Syntax") ["a closing brace in a template is written }}" node])
          (%pieces node (Ix1 l) [c part]))))))

; The forms of the strings to join: literals, and functions applied to the arguments in turn.
(defun (%fill form l args)
  (@ piece (Ix0 l))
  (If (Nil l)
    (If args ((Pin "Syntax") ["the template has no place for this argument" (Ix0 args)]) 0)
    (If (Hd piece) [piece (%fill form (Ix1 l) args)]
      (If args
        [[(1 (Ix0 piece)) (Ix0 args)] (%fill form (Ix1 l) (Ix1 args))]
        ((Pin "Syntax") ["the template has a place without an argument" form])))))
(defmacro (fmt env form)
  "(fmt 'template' x ...): the template with the arguments in place of its braces.
{} takes a number in decimal (anything else as Wisp text), {s} a string, {x} a number in
hexadecimal, {v} any value as Wisp text; {{ and }} are braces. Escapes as in text.
(fmt 'x = {}, {s}' 5 'ok')  => 'x = 5, ok'"
  (@ template (Ix1 form))
  (@ bytes (%unescape template (lexplode (Ix0 template))))
  (@ parts (array (%fill form (%pieces template bytes 0) (stream (drop 2 form)))))
  (If (%is-string template)
    [env [(1 str-concat) (cons (1 0) parts)]]
    ((Pin "Syntax") ["fmt takes a string literal first" form])))
