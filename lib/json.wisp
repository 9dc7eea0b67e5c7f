(require "decimal")
(require "utf8")
(require "map")
; JSON (RFC 8259): text to values and back.
;
; Invariants:
; - null, true and false are the naturals "null", "true" and "false"; the other values are rows
;   whose head says what they are: "number"[text], "string"[s], "array"[row],
;   "object"[row of [key value]], members in the order of the text;
; - a number keeps its text, so nothing is lost whatever its size or precision;
; - the parser is one loop with a stack of its own: nesting costs memory, not depth, and reading
;   costs O(n log n) at most.

;; Making and looking at values

(define JSON-NULL "The JSON value null." "null")
(define JSON-TRUE "The JSON value true." "true")
(define JSON-FALSE "The JSON value false." "false")
(defun (json-bool x) "The JSON value true, or false if x is 0.
(json-bool 1)  => 'true'" (If x "true" "false"))
(defun (json-nat n) "The JSON number of a natural.
(json-nat 12)  => ('number' '12')" ("number" (showNat n)))
(defun (json-string s) "The JSON string of a string.
(json-string 'ab')  => ('string' 'ab')" ("string" s))
(defun (json-array row) "The JSON array of a row of JSON values.
(json-array ['null'])  => ('array' ['null'])" ("array" row))
(defun (json-object pairs) "The JSON object of a row of [key value], keys being strings.
(json-object [['a' 'null']])  => ('object' [['a' 'null']])" ("object" pairs))

(defun (json-kind v) "'null', 'bool', 'number', 'string', 'array' or 'object'.
(json-kind (json-nat 1))  => 'number'"
  (If (IsApp v) (Hd v) (If (Eq v "null") v "bool")))
(defun (%json-part kind v) (And (IsApp v) (And (Eq kind (Hd v)) (Truth (Sz v)))))
(defun (json-get key v)
  "The member of an object with that key, as [value]; else 0.
The first one counts. Of a value that is no object: 0. O(members).
(json-get 'a' (json-object [['a' 'null']]))  => ['null']"
  (@ hit (And (%json-part "object" v) (find {m -> (Eq key (Ix0 m))} (Ix0 v))))
  (And hit [(Ix1 (Ix0 hit))]))
(defun (json-at i v) "Element i of an array, as [value]; 0 if there is none or v is no array.
(json-at 0 (json-array ['null']))  => ['null']"
  (And (%json-part "array" v) (And (Lt i (Sz (Ix0 v))) [(Ix i (Ix0 v))])))
(defun (json-path path v)
  "Follows a row of keys and positions, as [value]; 0 if the path leads nowhere.
A step into an object is its key, a step into an array the position.
(json-path ['a' 0] (json-object [['a' (json-array ['null'])]]))  => ['null']"
  (foldl {at step -> (And at (Or (json-get step (Ix0 at)) (json-at step (Ix0 at))))} [v] path))
(defun (json-to-nat v) "The natural that a JSON number is, as [n]; 0 for anything else.
(json-to-nat ('number' '12'))  => [12]"
  (And (%json-part "number" v) (parse-nat (Ix0 v))))
(defun (json-to-str v) "The string that a JSON string is, as [s]; 0 for anything else.
(json-to-str ('string' 'ab'))  => ['ab']" (And (%json-part "string" v) [(Ix0 v)]))
(defun (json-items v)
  "The elements of an array as a row; the values of an object; 0 for anything else.
(json-items ('array' ['null']))  => ['null']"
  (If (%json-part "array" v) (Ix0 v)
    (And (%json-part "object" v) (map Ix1 (Ix0 v)))))

;; Parsing

(defun (%json-blank s i)
  (@ c (Load8 i s))
  (If (Or (Eq c 32) (Or (Eq c 10) (Or (Eq c 13) (Eq c 9)))) (%json-blank s (Inc i)) i))
(defun (%skip-digits s i) (If (isNatChr (Load8 i s)) (%skip-digits s (Inc i)) i))
; The end of the digits from i on, which must be some: 0 if not. With 0 for i, 0.
(defun (%some-digits s i) (And i (And (isNatChr (Load8 i s)) (%skip-digits s i))))
(defun (%number-fraction s i) (And i (If (Eq 46 (Load8 i s)) (%some-digits s (Inc i)) i)))
(defun (%number-exponent s i)
  (@ sign (Load8 (Inc i) s))
  (And i (If (Eq 101 (Set 5 (Load8 i s)))
    (%some-digits s (Add i (If (Or (Eq sign 43) (Eq sign 45)) 2 1)))
    i)))
; The end of the number at i, 0 if there is none. No number ends at 0.
(defun (%number-end s i)
  (@ from (Add i (Eq 45 (Load8 i s))))
  (@ whole (If (Eq 48 (Load8 from s)) (Inc from)
             (And (isNatChr (Load8 from s)) (%skip-digits s from))))
  (%number-exponent s (%number-fraction s whole)))

; The first position from i on of a double quote, backslash or control character.
(defun (%plain-end s i)
  (@ c (Load8 i s))
  (If (Or (Lt c 32) (Or (Eq c 34) (Eq c 92))) i (%plain-end s (Inc i))))
(define %json-escapes (map-from
  [[34 34] [92 92] ["/" "/"] ["b" 8] ["f" 12] ["n" 10] ["r" 13] ["t" 9]]))
(defun (%hex4 s i) (And (Eq 4 (Bytes (Load i 4 s))) (parse-hex (Load i 4 s))))
; [string, end] of the escape whose backslash is at i; 0 if it is none.
(defun (%json-escape s i)
  (@ c     (Load8 (Inc i) s))
  (@ hit   (map-get c %json-escapes))
  (@ high  (Ix0 (%hex4 s (Add i 2))))
  (@ low   (%hex4 s (Add i 8)))
  (@ pair  (And (Eq 54 (Rsh high 10)) (And (Eq 30044 (Load (Add i 6) 2 s))
             (And low (Eq 55 (Rsh (Ix0 low) 10))))))
  (If hit [(Ix0 hit) (Add i 2)]
    (And (Eq c 117) (And (%hex4 s (Add i 2))
      (If pair
        [(utf8-encode (Add 65536 (Add (Lsh (Trunc 10 high) 10) (Trunc 10 (Ix0 low))))) (Add i 12)]
        [(utf8-encode high) (Add i 6)])))))
; [string, end] of the string that goes on at i, its parts so far last one first; an error
; position as a natural.
(defun (%json-string s i parts)
  (@ end  (%plain-end s i))
  (@ part (str-slice s i end))
  (@ c    (Load8 end s))
  (@ r    (%json-escape s end))
  (Seq part
    (If (Eq c 34) [(If parts (lstrcat (lrev [part parts])) part) (Inc end)]
      (If (And (Eq c 92) r) (%json-string s (Ix1 r) [(Ix0 r) [part parts]])
        end))))

(defun (%json-fail what i) (str-concat [what " at byte " (showNat i)]))
; The word or number at i as [value, end]; 0 if there is none.
(defun (%json-scalar s i)
  (@ end (%number-end s i))
  (If (Eq "true" (Load i 4 s)) ["true" (Add i 4)]
    (If (Eq "null" (Load i 4 s)) ["null" (Add i 4)]
      (If (Eq "false" (Load i 5 s)) ["false" (Add i 5)]
        (And end [("number" (str-slice s i end)) end])))))

; The parser is a loop p = %json with four modes: 0 a value has to come at i; 1 the value v ended
; at i; 2 a key has to come; 3 a key or the end of an object. The stack is a list of frames: for an
; open array [elements], for an open object [members key], elements and members last one first.
(defun (%json-value p s i stack)
  (@ c (Load8 i s))
  (@ j (%json-blank s (Inc i)))
  (@ r (If (Eq c 34) (%json-string s (Inc i) 0) (%json-scalar s i)))
  (If (Eq c 91)
    (If (Eq 93 (Load8 j s)) (p s 1 (Inc j) ("array" 0) stack) (p s 0 j 0 [[0] stack]))
    (If (Eq c 123) (p s 3 j 0 [[0 0] stack])
      (If (IsApp r)
        (p s 1 (Ix1 r) (If (Eq c 34) ("string" (Ix0 r)) (Ix0 r)) stack)
        (If (Eq c 34) (%json-fail "a string is not closed or not well-formed" r)
          (%json-fail "a value was expected" i))))))
(defun (%json-key p s i stack)
  (@ r (%json-string s (Inc i) 0))
  (@ j (%json-blank s (Ix1 r)))
  (If (Ne 34 (Load8 i s)) (%json-fail "a key was expected" i)
    (If (IsNat r) (%json-fail "a string is not closed or not well-formed" r)
      (If (Ne 58 (Load8 j s)) (%json-fail "a colon was expected" j)
        (p s 0 (Inc j) 0 [[(Ix0 (Ix0 stack)) (Ix0 r)] (Ix1 stack)])))))
(defun (%json-next p s i v stack)
  (@ c     (Load8 i s))
  (@ frame (Ix0 stack))
  (@ obj   (Eq 2 (Sz frame)))
  (@ items [(If obj [(Ix1 frame) v] v) (Ix0 frame)])
  (@ row   (array (lrev items)))
  (If (Nil stack)
    (If (Ge i (Bytes s)) [v] (%json-fail "something follows the value" i))
    (If (Eq c 44)
      (If obj (p s 2 (Inc i) 0 [[items 0] (Ix1 stack)]) (p s 0 (Inc i) 0 [[items] (Ix1 stack)]))
      (If (Eq c (If obj 125 93))
        (Seq row (p s 1 (Inc i) ((If obj "object" "array") row) (Ix1 stack)))
        (%json-fail (If obj "a comma or } was expected" "a comma or ] was expected") i)))))
(defun (%json s mode i v stack)
  (@ j (%json-blank s i))
  (Case4 mode
    (%json-value %json s j stack)
    (%json-next %json s j v stack)
    (%json-key %json s j stack)
    (If (Eq 125 (Load8 j s))
      (%json s 1 (Inc j) ("object" 0) (Ix1 stack))
      (%json-key %json s j stack))))
(defun (json-parse s)
  "The JSON value of a text as [value]; a string if it is malformed.
The string says what was expected where. O(n log n).
(json-parse ' [1, true]')  => [('array' [('number' '1') 'true'])]
(json-parse ' [1')  => 'a comma or ] was expected at byte 3'" (%json s 0 0 0 0))

;; Showing: a list of strings, joined once at the end

(defun (%escape-byte c)
  (@ named (find {e -> (Eq c (Ix1 e))} [["b" 8] ["f" 12] ["n" 10] ["r" 13] ["t" 9]]))
  (If (Or (Eq c 34) (Eq c 92)) (strWeld 92 c)
    (If (Ge c 32) c
      (If named (strWeld 92 (Ix0 (Ix0 named)))
        (strWeld "\u00" (str-pad-left 2 48 (show-hex c)))))))
(defun (%quote s)
  (@ n (Bytes s))
  (@ body (If (Eq n (%plain-end s 0)) s (lstrcat (lmap %escape-byte (lexplode s)))))
  (str-concat [34 body 34]))
; Parts with sep between them; nl and deeper are the line breaks before brackets and within.
(defun (%show-parts show-one open parts close nl deeper rest)
  (@ n    (Sz parts))
  (@ tail [nl [close rest]])
  (If n
    (let ((from (letrec
        ((go {i -> (If (Eq i n) tail
            [(If i (strWeld 44 deeper) deeper) (show-one (Ix i parts) (go (Inc i)))])}))
        (go 0))))
      [open from])
    [open [close rest]]))
; The strings of v before rest. `step` is the indentation of one level, 0 for all on one line.
(defun (%json-strings step nl v rest)
  (@ deeper (And step (strWeld nl step)))
  (@ again  (%json-strings step deeper))
  (If (%json-part "array" v)
    (%show-parts again "[" (Ix0 v) "]" nl deeper rest)
    (If (%json-part "object" v)
      (%show-parts
        {m more -> [(%quote (Ix0 m)) [(If step ": " ":") (again (Ix1 m) more)]]}
        "{" (Ix0 v) "}" nl deeper rest)
      (If (%json-part "string" v) [(%quote (Ix0 v)) rest]
        [(If (IsApp v) (Ix0 v) v) rest]))))
(defun (json-show v) "A JSON value as text on one line, without spaces. O(n log n).
(json-show ('object' [['a' 'null']]))  => (str-concat [123 34 'a' 34 ':null}'])"
  (lstrcat (%json-strings 0 0 v 0)))
(defun (json-pretty v) "A JSON value as text on several lines, indented by two spaces.
(json-pretty (json-nat 5))  => '5'" (lstrcat (%json-strings "  " 10 v 0)))
