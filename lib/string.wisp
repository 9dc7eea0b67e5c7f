(require "row")
; Strings: naturals whose bytes are the characters, the first one being the lowest byte.
;
; Invariants:
; - a string has no NUL bytes at its end: they would vanish; see bytes for data that may;
; - positions and lengths count bytes from 0; the text is UTF-8 where it is not ASCII;
; - building a string costs O(n log n) words at most: parts are joined in halves;
; - in the examples here 'ab' stands for the string of a and b.

;; Characters

(define newline "The line feed, 10." 10)
(define tab "The tabulator, 9." 9)
(define space "The space, 32." 32)
(define dquote "The double quote, 34, which no string literal can contain." 34)
(define semi "The semicolon, 59." 59)
(define lowers "The lower-case letters of ASCII." "abcdefghijklmnopqrstuvwxyz")
(define uppers "The upper-case letters of ASCII." "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
(define digits "The decimal digits." "0123456789")
(define specials "The bytes other than letters and digits that a symbol may contain."
  "!#$%&'*+,-./:<=>?@\^_`|~")
(define matchers "The brackets." "()[]{}")

;; Joining and building

(defun (strWeld a b) "The bytes of a, then those of b. O(n).
(strWeld 'foo' 'bar')  => 'foobar'" (Add a (Lsh b (Lsh (Bytes a) 3))))

(defun (%str-concat row from n)
  (@ half (Rsh n 1))
  (If (Le n 1) (And n (Nat (Ix from row)))
    (strWeld (%str-concat row from half)
             (%str-concat row (Add from half) (Sub n half)))))
(defun (str-concat row) "The strings of a row, one behind the other.
(str-concat ['ab' 'c' '' 'd'])  => 'abcd'" (%str-concat row 0 (Sz row)))
(defun (lstrcat l) "The strings of a list, one behind the other.
(lstrcat ~['ab' 'c' '' 'd'])  => 'abcd'" (str-concat (array l)))

; Bytes from (f i) on, eight to a word at the leaves; joined in halves above.
(defun (%str-word f i shift n acc)
  (@ byte (Trunc8 (f i)))
  (Seq acc (Ifz n acc
    (Seq byte
      (%str-word f (Inc i) (Add shift 8) (Dec n) (Add acc (Lsh byte shift)))))))
(defun (%str-gen f i n)
  (@ half (Lsh (Rsh (Add n 15) 4) 3))
  (@ low  (%str-gen f i half))
  (If (Le n 8) (%str-word f i 0 n 0)
    (Seq low (Add low (Lsh (%str-gen f (Add i half) (Sub n half)) (Lsh half 3))))))
(defun (strGen n f) "The string of the bytes (f 0) to (f (n-1)), each taken modulo 256.
(strGen 3 (Add 97))  => 'abc'" (%str-gen f 0 n))

(defun (lexplode s) "The bytes as a list.
(lexplode 'ab')  => ~[97 98]" (lgen (Bytes s) {i -> (Load8 i s)}))
(defun (str-bytes s) "The bytes as a row.
(str-bytes 'ab')  => [97 98]" (gen (Bytes s) {i -> (Load8 i s)}))
(defun (str-from-bytes row) "The string of a row of bytes.
(str-from-bytes [97 98])  => 'ab'" (strGen (Sz row) {i -> (Ix i row)}))
(defun (limplode l) "The string of a list of bytes.
(limplode ~[97 98])  => 'ab'" (str-from-bytes (array l)))

(defun (str-repeat n s) "n copies of s.
(str-repeat 3 'ab')  => 'ababab'"
  (@ half (str-repeat (Rsh n 1) s))
  (Ifz n 0
    (Seq half (strWeld half (If (Test 0 n) (strWeld half s) half)))))
(defun (str-join sep row) "The strings of a row with sep between neighbours.
(str-join ', ' ['a' 'b' 'c'])  => 'a, b, c'"
  (@ n (Sz row))
  (str-concat (gen (Dec (Lsh n 1)) {i -> (If (Test 0 i) sep (Ix (Rsh i 1) row))})))

;; Parts

(defun (str-length s) "The number of bytes. O(1).
(str-length 'abc')  => 3" (Bytes s))
(defun (str-at i s) "Byte i; 0 past the end. O(1).
(str-at 1 'abc')  => 98" (Load8 i s))
(defun (str-slice s from to) "The bytes from position from up to, not including, to.
(str-slice 'abcdef' 1 3)  => 'bc'" (Load from (Sub to from) s))
(defun (str-take n s) "The first n bytes.
(str-take 2 'abc')  => 'ab'" (Trunc (Lsh n 3) s))
(defun (str-drop n s) "The string without its first n bytes.
(str-drop 2 'abc')  => 'c'" (Rsh s (Lsh n 3)))
(defun (str-reverse s) "The bytes in reverse.
(str-reverse 'abc')  => 'cba'"
  (@ n (Bytes s))
  (strGen n {i -> (Load8 (Sub n (Inc i)) s)}))
(defun (str-map f s) "The string of (f byte) for each byte.
(str-map Inc 'abc')  => 'bcd'" (strGen (Bytes s) {i -> (f (Load8 i s))}))
(defun (str-filter f s) "The bytes that satisfy f.
(str-filter (Ne 97) 'banana')  => 'bnn'" (limplode (lfilter f (lexplode s))))

(defun (%str-all f s i n) (Ifz (Ne i n) 1 (And (f (Load8 i s)) (%str-all f s (Inc i) n))))
(defun (strAll f s) "1 if f holds for every byte, else 0.
(strAll (Gt 99) 'ab')  => 1" (Truth (%str-all f s 0 (Bytes s))))
(defun (strNone f s) "1 if f holds for no byte, else 0.
(strNone (Gt 98) 'ab')  => 0" (strAll {c -> (Nil (f c))} s))

;; Classes of characters: a natural with bit c set for every character c of the class

(defun (packClass strings) "The class of the characters in a row of strings, as a natural.
(packClass ['a' ''])  => (Bex 97)"
  (foldl {class s -> (lfoldl {acc c -> (Set c acc)} class (lexplode s))} 0 strings))
(defun (unpackClass class) "The characters of a class in ascending order, as a string.
(unpackClass (packClass ['ba']))  => 'ab'"
  (limplode (lfilter {c -> (Test c class)} (lrange 0 (Bits class)))))
(defun (inClass class c) "1 if the character c is in the class, else 0.
(inClass (packClass ['abc']) 98)  => 1" (Test c class))

(define lowChrs "The class of lower-case letters." (packClass [lowers]))
(define uprChrs "The class of upper-case letters." (packClass [uppers]))
(define natChrs "The class of digits." (packClass [digits]))
(define alnumChrs "The class of letters and digits." (packClass [lowers uppers digits]))
(define symChrs "The class of symbol bytes of ASCII." (packClass [lowers uppers digits specials]))
(define spcChrs "The class of white space: tab, line feed, space." (packClass [9 10 32]))
(define prnChrs "The class of printable characters and white space, without the double quote."
  (packClass [lowers uppers digits specials matchers ";" 9 10 32]))
(define opnChr "The class of opening brackets." (packClass ["([{"]))

(defun (isAlnum c) "1 for a letter or digit of ASCII.
(isAlnum 97)  => 1" (Test c alnumChrs))
(defun (isLower c) "1 for a lower-case letter of ASCII.
(isLower 97)  => 1" (Test c lowChrs))
(defun (isUpper c) "1 for an upper-case letter of ASCII.
(isUpper 97)  => 0" (Test c uprChrs))
(defun (isAlpha c) "1 for a letter of ASCII.
(isAlpha 48)  => 0" (Or (isLower c) (isUpper c)))
(defun (isNatChr c) "1 for a decimal digit.
(isNatChr 48)  => 1" (Test c natChrs))
(defun (isSymChr c) "1 for a byte that a symbol may contain.
(isSymChr 40)  => 0" (Test c symChrs))
(defun (isSpcChr c) "1 for white space: tab, line feed, space.
(isSpcChr 32)  => 1" (Test c spcChrs))
(defun (isPrint c) "1 for printable characters of ASCII, tab and line feed; not the double quote.
(isPrint 7)  => 0" (Test c prnChrs))

(defun (chr-upper c) "The upper-case letter of a lower-case one; others unchanged.
(chr-upper 97)  => 65" (If (isLower c) (Sub c 32) c))
(defun (chr-lower c) "The lower-case letter of an upper-case one; others unchanged.
(chr-lower 65)  => 97" (If (isUpper c) (Add c 32) c))
(defun (str-upper s) "ASCII letters in upper case.
(str-upper 'abC1')  => 'ABC1'" (str-map chr-upper s))
(defun (str-lower s) "ASCII letters in lower case.
(str-lower 'ABc1')  => 'abc1'" (str-map chr-lower s))

;; Searching and comparing

(defun (%str-scan f s i n) (If (Ge i n) i (If (f (Load8 i s)) i (%str-scan f s (Inc i) n))))
(defun (str-scan f s from)
  "The first position not below from whose byte satisfies f; else the length.
(str-scan isNatChr 'ab12' 0)  => 2" (%str-scan f s from (Bytes s)))

; The first i in i..=last with s[i] = c and the bytes from i equal to the needle; else last + 1.
(defun (%str-search needle c w s i last)
  (If (Gt i last) i
    (If (Eq c (Load8 i s))
      (If (Eq needle (Load i w s)) i (%str-search needle c w s (Inc i) last))
      (%str-search needle c w s (Inc i) last))))
(defun (str-index-from from needle s)
  "The first position not below from where needle starts, as [i]; else 0.
(str-index-from 2 'a' 'abcabc')  => [3]"
  (@ w (Bytes needle))
  (@ n (Bytes s))
  (@ i (If w (%str-search needle (Load8 0 needle) w s from (Sub n w)) from))
  (And (Le (Add from w) n) (And (Le (Add i w) n) [i])))
(defun (str-index-of needle s) "The first position where needle starts, as [i]; else 0.
(str-index-of 'na' 'banana')  => [2]" (str-index-from 0 needle s))
(defun (str-contains needle s) "1 if needle occurs in s, else 0.
(str-contains 'nan' 'banana')  => 1" (Truth (str-index-of needle s)))
(defun (str-starts-with prefix s) "1 if s starts with prefix, else 0.
(str-starts-with 'ba' 'banana')  => 1"
  (And (Le (Bytes prefix) (Bytes s)) (Eq prefix (str-take (Bytes prefix) s))))
(defun (str-ends-with suffix s) "1 if s ends with suffix, else 0.
(str-ends-with 'na' 'banana')  => 1"
  (And (Le (Bytes suffix) (Bytes s))
    (Eq suffix (str-drop (Sub (Bytes s) (Bytes suffix)) s))))

(defun (%byte-compare a b i)
  (@ order (Cmp (Load8 i a) (Load8 i b)))
  (If (Eq 1 order) (%byte-compare a b (Inc i)) order))
(defun (%str-compare a b i n)
  (@ x (Load i 8 a))
  (@ y (Load i 8 b))
  (If (Ge i n) 1
    (If (Eq x y) (%str-compare a b (Add i 8) n)
      (%byte-compare a b i))))
(defun (str-compare a b)
  "0, 1 or 2: a before, equal to or after b in the order of a dictionary of bytes.
(str-compare 'abc' 'abd')  => 0
(str-compare 'b' 'abc')  => 2"
  (%str-compare a b 0 (max (Bytes a) (Bytes b))))
(defun (str-less a b) "1 if a comes before b in the order of a dictionary of bytes; for sort-by.
(sort-by str-less ['b' 'abc' 'ab'])  => ['ab' 'abc' 'b']" (Nil (str-compare a b)))

;; Splitting

; The list of pieces; w is the length of sep.
(defun (%str-split sep w s from)
  (@ hit (str-index-from from sep s))
  (@ end (If hit (Ix0 hit) (Bytes s)))
  [(str-slice s from end) (And hit (%str-split sep w s (Add end w)))])
(defun (str-split sep s) "The parts between occurrences of sep, as a row; [s] if sep is empty.
(str-split ', ' 'a, b,, ')  => ['a' 'b,' '']"
  (If sep (array (%str-split sep (Bytes sep) s 0)) [s]))
(defun (str-split-once sep s)
  "[what is before the first sep, what is behind it]; 0 if there is none.
(str-split-once '=' 'a=b=c')  => ['a' 'b=c']"
  (@ hit (str-index-of sep s))
  (And hit [(str-take (Ix0 hit) s) (str-drop (Add (Ix0 hit) (Bytes sep)) s)]))
(defun (str-lines s)
  "The lines, without their line feeds; a last one without line feed counts too.
(str-lines (strWeld 'a' (strWeld 10 'b')))  => ['a' 'b']"
  (@ parts (str-split 10 s))
  (Ifz s 0 (If (Eq 10 (Load8 (Dec (Bytes s)) s)) (Init parts) parts)))
(defun (%str-blank c) (Or (Eq c 32) (And (Le 9 c) (Le c 13))))
(defun (%str-words s from)
  (@ start (str-scan {c -> (Nil (%str-blank c))} s from))
  (@ end   (str-scan %str-blank s start))
  (And (Lt start (Bytes s)) [(str-slice s start end) (%str-words s end)]))
(defun (str-words s) "The parts between white space (bytes 9 to 13 and 32), none of them empty.
(str-words ' two  words ')  => ['two' 'words']" (array (%str-words s 0)))

(defun (%str-trim-end s n)
  (If (And n (%str-blank (Load8 (Dec n) s))) (%str-trim-end s (Dec n)) n))
(defun (str-trim-left s) "Without white space at the start.
(str-trim-left '  a ')  => 'a '" (str-drop (str-scan {c -> (Nil (%str-blank c))} s 0) s))
(defun (str-trim-right s) "Without white space at the end.
(str-trim-right ' a  ')  => ' a'" (str-take (%str-trim-end s (Bytes s)) s))
(defun (str-trim s) "Without white space at both ends.
(str-trim '  a b ')  => 'a b'" (str-trim-left (str-trim-right s)))
(defun (str-replace old new s)
  "Every occurrence of old, from the left, replaced by new; s if old is empty.
(str-replace 'na' 'NO' 'banana')  => 'baNONO'" (str-join new (str-split old s)))
(defun (str-count needle s) "How many occurrences of needle, not overlapping; 0 if it is empty.
(str-count 'an' 'banana')  => 2" (Dec (Sz (str-split needle s))))

(defun (%str-fill n c s) (str-repeat (Sub n (Bytes s)) c))
(defun (str-pad-left n c s) "s with as many copies of the byte c before it as n bytes need.
(str-pad-left 5 32 'abc')  => '  abc'" (strWeld (%str-fill n c s) s))
(defun (str-pad-right n c s) "s with as many copies of the byte c behind it as n bytes need.
(str-pad-right 5 32 'abc')  => 'abc  '" (strWeld s (%str-fill n c s)))
