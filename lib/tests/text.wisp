(require "std")
; Tests of the module text: every escape and place, and the mistakes that are caught.

; What the expansion of a form throws, with the environment of this place.
(defmacro (environment env form) [env (1 env)])
(defun (fault form) (@ r (xtry {e -> (eval e form)} (environment))) [(Hd r) (Ix0 (Ix0 r))])
(define escapes "an escape is \n \t \r \0 \e \q \\ or \x and two hex digits")
(define places "a template takes {} {s} {x} or {v}; a brace is written {{")

(deftest escapes
  (= (str-from-bytes [97 10 9 13 27 34 92 39 65]) (text "a\n\t\r\e\q\\\'\x41")) (= "" (text ""))
  (= (str-from-bytes [97 0 98]) (text "a\0b")) (= "abc" (text "a" "b" "c")) (= 255 (text "\xfF"))
  (= "ab\c" (unescape 0 "a\x62\\c")) (= "A1" (text "\x41" "1")))

(deftest templates
  (= "plain" (fmt "plain")) (= "" (fmt "")) (= "x = 5, y = 6" (fmt "x = {}, y = {}" 5 (Add 3 3)))
  (= "hello you" (fmt "hello {s}" "you")) (= "0xff" (fmt "0x{x}" 255))
  (= "[1 2]" (fmt "{}" [1 2]))
  (= (str-concat [34 "ab" 34]) (fmt "{v}" "ab")) (= "{}" (fmt "{{}}")) (= "{5}" (fmt "{{{}}}" 5))
  (= (strWeld "a" 10) (fmt "a\n")) (= "12" (fmt "{}{}" 1 2)) (= "25185" (show-value "ab"))
  (= "[1]" (show-value [1])))

(deftest mistakes
  (= ["Syntax" escapes] (fault ["text" (1 "a\z")]))
  (= ["Syntax" escapes] (fault ["text" (1 "\x4")]))
  (= ["Syntax" escapes] (fault ["text" (1 "\")]))
  (= ["Syntax" "text takes string literals"] (fault ["text" "a"]))
  (= ["Syntax" "text takes string literals"] (fault ["text"]))
  (= ["Syntax" "fmt takes a string literal first"] (fault ["fmt" "a"]))
  (= ["Syntax" "the template has a place without an argument"] (fault ["fmt" (1 "{}")]))
  (= ["Syntax" "the template has no place for this argument"] (fault ["fmt" (1 "a") (1 5)]))
  (= ["Syntax" places] (fault ["fmt" (1 "{z}") (1 5)]))
  (= ["Syntax" places] (fault ["fmt" (1 "{") (1 5)]))
  (= ["Syntax" "a closing brace in a template is written }}"] (fault ["fmt" (1 "}")])))
