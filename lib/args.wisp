(require "map")
(require "string")
; Command lines: options, flags and the other arguments of a program.
;
; Invariants:
; - a command line is the row of strings that main gets, 0 when there are none;
; - what has been taken apart is [options rest fault]: a map from names to values, flags having
;   the value 0; the row of other arguments in order; 0 or a text that says what is wrong;
; - of an option that is given several times the last one counts.

; Parsing state: the list of arguments left, the map so far, the others so far (last one first).
(defun (%args-end options others fault) [options (array (lrev others)) fault])

; One argument --name or --name=value, without its dashes; `next` goes on with the rest.
(defun (%args-long loop valued word more options others)
  (@ pair (str-split-once "=" word))
  (@ name (If pair (Ix0 pair) word))
  (If pair (loop valued more (map-put name (Ix1 pair) options) others)
    (If (Nil (has name valued)) (loop valued more (map-put name 0 options) others)
      (If more (loop valued (Ix1 more) (map-put name (Ix0 more) options) others)
        (%args-end options others (str-concat ["option --" name " needs a value"]))))))
; One argument -abc, without its dash: flags a, b and c, or an option with a value behind it.
(defun (%args-short loop valued word more options others)
  (@ name (str-take 1 word))
  (@ tail (str-drop 1 word))
  (If (Nil word) (loop valued more options others)
    (If (Nil (has name valued))
      (%args-short loop valued tail more (map-put name 0 options) others)
      (If tail (loop valued more (map-put name tail options) others)
        (If more (loop valued (Ix1 more) (map-put name (Ix0 more) options) others)
          (%args-end options others (str-concat ["option -" name " needs a value"])))))))
(defun (%args-loop valued l options others)
  (@ word (Ix0 l))
  (If (Nil l) (%args-end options others 0)
    (If (Eq word "--") [options (array (lweld (lrev others) (Ix1 l))) 0]
      (If (str-starts-with "--" word)
        (%args-long %args-loop valued (str-drop 2 word) (Ix1 l) options others)
        (If (And (Eq 45 (Load8 0 word)) (Ne word 45))
          (%args-short %args-loop valued (str-drop 1 word) (Ix1 l) options others)
          (%args-loop valued (Ix1 l) options [word others]))))))
(defun (args-parse valued args)
  "Takes a command line apart; valued is the row of the names of options with a value.
Options are --name=value, --name value, -n value and -nvalue; flags --name, -n and -abc for three;
-- ends the options, and - alone is an argument like any other. The row may mix all of them.
(args-rest (args-parse ['out'] ['-v' 'a' '--out=x' 'b']))  => ['a' 'b']"
  (%args-loop valued (stream args) map-empty 0))
(defun (args-rest parsed) "The arguments that are neither options nor values of options, as a row.
(args-rest (args-parse 0 ['a' '-v' '--' '-b']))  => ['a' '-b']" (Ix1 parsed))
(defun (args-flag name parsed) "1 if the option or flag was given, else 0.
(args-flag 'v' (args-parse 0 ['-v']))  => 1" (map-has name (Ix0 parsed)))
(defun (args-option name parsed) "The value of an option as [value]; 0 if it was not given.
(args-option 'out' (args-parse ['out'] ['--out' 'x']))  => ['x']" (map-get name (Ix0 parsed)))
(defun (args-option-or default name parsed)
  "The value of an option, or default if it was not given.
(args-option-or 'y' 'out' (args-parse ['out'] 0))  => 'y'"
  (map-get-or default name (Ix0 parsed)))
(defun (args-fault known parsed)
  "0 if all is well, else what is wrong, as text for a message.
Wrong are an option without its value and one that is not in the row of known names.
(args-fault ['v'] (args-parse 0 ['-x']))  => 'there is no option -x'"
  (@ odd (find {name -> (Nil (has name known))} (map-keys (Ix0 parsed))))
  (Or (Ix2 parsed)
    (And odd (str-concat
      ["there is no option " (If (Gt (Bytes (Ix0 odd)) 1) "--" 45) (Ix0 odd)]))))
