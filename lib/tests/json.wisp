(require "std")
; Tests of the module json: every kind of value, malformed texts with their places, deep nesting.

; A text with apostrophes for double quotes.
(defun (q s) (str-replace "'" 34 s))
(defun (parsed s) (json-parse (q s)))
; What a text becomes when it is read and shown; a row stands for a text that is malformed.
(defun (again s) (@ r (parsed s)) (If (IsApp r) (json-show (Ix0 r)) [r]))

(deftest scalars
  (= ["null"] (parsed " null ")) (= JSON-NULL "null") (= [JSON-TRUE] (parsed "true"))
  (= [JSON-FALSE] (parsed "false"))
  (= [("number" "-0.5e+3")] (parsed "-0.5e+3")) (= [("number" "0")] (parsed "0"))
  (= [("number" "1E9")] (parsed "1E9"))
  (= [("string" "")] (parsed "''")) (= [("string" "ab")] (parsed "'ab'"))
  (= [("string" (str-concat [34 "\/" 8 12 10 13 9]))] (parsed "'\'\\\/\b\f\n\r\t'"))
  (= [("string" (utf8-from [228 8364 128512]))] (parsed "'\u00e4\u20AC\ud83d\ude00'"))
  (= [("string" (utf8-from [65533 97]))] (parsed "'\ud83da'"))
  (= [("string" (utf8-from [228]))] (json-parse (str-concat [34 (utf8-encode 228) 34]))))

(deftest nested
  (= [("array" 0)] (parsed "[ ]")) (= [("object" 0)] (parsed "{ }"))
  (= [("array" [("array" 0) ("object" 0) "null"])] (parsed "[[],{},null]"))
  (= [("object" [["a" ("array" [("number" "1")])] ["b" "true"]])] (parsed "{'a':[1],'b':true}"))
  (= (q "{'a':[1,{'b':''}],'c':-2.5}") (again " { 'a' : [ 1 , { 'b' : '' } ] , 'c' : -2.5 } "))
  (= (q "'\'\\/\b\f\n\r\t\u0001'") (again "'\'\\\/\b\f\n\r\t\u0001'")))

(deftest malformed
  (= "a value was expected at byte 0" (parsed ""))
  (= "a value was expected at byte 1" (parsed " x"))
  (= "a value was expected at byte 3" (parsed "[1,]"))
  (= "a comma or ] was expected at byte 3" (parsed "[1 2]"))
  (= "a comma or ] was expected at byte 2" (parsed "[1"))
  (= "a key was expected at byte 1" (parsed "{1:2}"))
  (= "a key was expected at byte 7" (parsed "{'a':1,}"))
  (= "a colon was expected at byte 4" (parsed "{'a'}"))
  (= "a comma or } was expected at byte 6" (parsed "{'a':1"))
  (= "something follows the value at byte 2" (parsed "1 2"))
  (= "something follows the value at byte 1" (parsed "01"))
  (= "a value was expected at byte 0" (parsed "-"))
  (= "a value was expected at byte 0" (parsed "1."))
  (= "a value was expected at byte 0" (parsed "1e"))
  (= "a value was expected at byte 0" (parsed "+1"))
  (= "something follows the value at byte 4" (parsed "nulls"))
  (= "a string is not closed or not well-formed at byte 3" (parsed "'ab"))
  (= "a string is not closed or not well-formed at byte 1" (parsed "'\z'"))
  (= "a string is not closed or not well-formed at byte 1" (parsed "'\u12g4'"))
  (= "a string is not closed or not well-formed at byte 2"
     (json-parse (str-concat [34 "a" 10 34]))))

(define object
  (json-object
    [["n" (json-nat 5)] ["s" (json-string "x")] ["l" (json-array [(json-bool 1) (json-bool 0)])]]))

(deftest access
  (= (q "{'n':5,'s':'x','l':[true,false]}") (json-show object))
  (= [object] (json-parse (json-show object)))
  (= ["number" "string" "array" "object" "null" "bool" "bool"]
     (map json-kind [(json-nat 5) (json-string "x") (json-array 0) object "null" "true" "false"]))
  (= [("number" "5")] (json-get "n" object)) (= 0 (json-get "z" object))
  (= 0 (json-get "n" "null")) (= 0 (json-get "n" (json-nat 1)))
  (= ["false"] (json-path ["l" 1] object)) (= 0 (json-path ["l" 2] object))
  (= 0 (json-path ["z" 2] object)) (= [object] (json-path 0 object))
  (= 0 (json-at 0 object)) (= ["null"] (json-at 0 (json-array ["null"])))
  (= [5] (json-to-nat (json-nat 5)))
  (= 0 (json-to-nat ("number" "-5"))) (= 0 (json-to-nat "null"))
  (= ["x"] (json-to-str (json-string "x"))) (= 0 (json-to-str "x"))
  (= ["true" "false"] (json-items (Ix1 (Ix2 (Ix0 object))))) (= 3 (Sz (json-items object)))
  (= 0 (json-items "null")))

(deftest pretty
  (= [object] (json-parse (json-pretty object))) (= 8 (Sz (str-lines (json-pretty object))))
  (= (q "{
  'a': [
    1,
    {}
  ]
}") (json-pretty (Ix0 (parsed "{'a':[1,{}]}")))))

(define deep (strWeld (str-repeat 100000 "[") (str-repeat 100000 "]")))
(deftest depth
  (= deep (json-show (Ix0 (json-parse deep))))
  (= "a value was expected at byte 100000" (json-parse (str-repeat 100000 "["))))
