(require "std")
; Tests of the module string: empty strings, ends, characters beyond a machine word.

(define long (str-repeat 1000 "abcdefghij"))

(deftest joining
  (= "" (strWeld "" "")) (= "ab" (strWeld "" "ab")) (= "ab" (strWeld "ab" ""))
  (= "abcdefghijkl" (strWeld "abcdef" "ghijkl"))
  (= "" (str-concat 0)) (= "a" (str-concat ["a"])) (= "abc" (str-concat ["a" "" "bc"]))
  (= "abc" (lstrcat ~["a" "bc"])) (= "" (strGen 0 Inc))
  (= "abcdefghijklmnopqrstuvwxyz" (strGen 26 (Add 97))) (= lowers (strGen 26 (Add 97)))
  (= ~[97 98] (lexplode "ab")) (= 0 (lexplode "")) (= [97 98] (str-bytes "ab"))
  (= long (str-from-bytes (str-bytes long))) (= long (limplode (lexplode long)))
  (= "" (str-repeat 0 "ab")) (= "" (str-repeat 5 "")) (= "ababab" (str-repeat 3 "ab"))
  (= 10000 (str-length long)) (= "" (str-join "," 0)) (= "a" (str-join "," ["a"]))
  (= "a, , b" (str-join ", " ["a" "" "b"])))

(deftest parts
  (= 0 (str-length "")) (= 98 (str-at 1 "abc")) (= 0 (str-at 9 "abc"))
  (= "bc" (str-slice "abcd" 1 3)) (= "d" (str-slice "abcd" 3 99)) (= "" (str-slice "abcd" 3 1))
  (= "ab" (str-take 2 "abc")) (= "abc" (str-take 9 "abc")) (= "c" (str-drop 2 "abc"))
  (= "" (str-drop 9 "abc")) (= "" (str-reverse "")) (= "cba" (str-reverse "abc"))
  (= "jihgfedcba" (str-take 10 (str-reverse long))) (= "bcd" (str-map Inc "abc"))
  (= "bd" (str-filter {c -> (even c)} "abcd"))
  (= 1 (strAll isLower "")) (= 1 (strAll isLower "abc")) (= 0 (strAll isLower "aBc"))
  (= 1 (strNone isLower "")) (= 1 (strNone isLower "ABC")) (= 0 (strNone isLower "AbC")))

(deftest characters
  (= 10 newline) (= 9 tab) (= 32 space) (= 34 dquote) (= ";" semi) (= "Z" (str-at 25 uppers))
  (= "9" (str-at 9 digits)) (= 24 (str-length specials)) (= "()[]{}" matchers)
  (= "abc" (unpackClass (packClass ["cab" "a"]))) (= 1 (inClass opnChr "["))
  (= 0 (inClass opnChr "]"))
  (= lowers (unpackClass lowChrs)) (= uppers (unpackClass uprChrs))
  (= digits (unpackClass natChrs))
  (= 62 (str-length (unpackClass alnumChrs))) (= 86 (str-length (unpackClass symChrs)))
  (= (packClass [9 10 32]) spcChrs) (= 0 (inClass prnChrs dquote)))

(deftest classes
  (strAll isAlnum "azAZ09") (strNone isAlnum "_-/:@[`{") (strAll isLower lowers)
  (strAll isUpper uppers) (strNone isUpper lowers) (strAll isAlpha "azAZ") (strNone isAlpha digits)
  (strAll isNatChr digits) (strNone isNatChr "/:a") (strAll isSymChr "a!@#+-*/=<>.,'`|~")
  (strNone isSymChr " ()[]{};") (= 0 (isSymChr 34)) (= 0 (isSymChr 127)) (= 1 (isSpcChr 9))
  (= 0 (isSpcChr 11)) (strAll isPrint "a ~;(") (= 0 (isPrint 127)) (= 0 (isPrint 34))
  (= "A" (chr-upper "a")) (= "[" (chr-upper "[")) (= "a" (chr-lower "A")) (= "@" (chr-lower "@"))
  (= "ABZ-9" (str-upper "aBz-9")) (= "abz-9" (str-lower "aBz-9")))

(deftest searching
  (= 3 (str-scan isNatChr "abc" 0)) (= 1 (str-scan isNatChr "a1" 0))
  (= 5 (str-scan isNatChr "a1" 5))
  (= [0] (str-index-of "a" "a")) (= 0 (str-index-of "b" "a")) (= 0 (str-index-of "abc" "ab"))
  (= [2] (str-index-of "na" "banana")) (= [4] (str-index-from 3 "na" "banana"))
  (= 0 (str-index-from 5 "na" "banana")) (= [0] (str-index-of "" "abc"))
  (= [9990] (str-index-of "abcdefghij!" (strWeld long "!")))
  (= 1 (str-contains "nan" "banana")) (= 0 (str-contains "nab" "banana"))
  (= 1 (str-starts-with "" "a")) (= 0 (str-starts-with "ab" "a"))
  (= 1 (str-starts-with "ab" "abc"))
  (= 1 (str-ends-with "bc" "abc")) (= 0 (str-ends-with "abc" "bc")) (= 1 (str-ends-with "" "bc")))

(deftest ordering
  (= 1 (str-compare "" "")) (= 0 (str-compare "" "a")) (= 2 (str-compare "b" "aaaaaaaaaaaaaa"))
  (= 0 (str-compare "abcdefgh" "abcdefghi")) (= 2 (str-compare "abcdefghz" "abcdefghi"))
  (= 1 (str-compare long long)) (= 1 (str-less "abc" "abd")) (= 0 (str-less "abc" "abc"))
  (= ["" "a" "ab" "b"] (sort-by str-less ["b" "ab" "" "a"])))

(deftest splitting
  (= [""] (str-split "," "")) (= ["" ""] (str-split "," ","))
  (= ["a" "b"] (str-split ", " "a, b"))
  (= ["abc"] (str-split "" "abc")) (= ["a" "c"] (str-split-once "=" "a=c"))
  (= ["" "b=c"] (str-split-once "=" "=b=c")) (= 0 (str-split-once "=" "abc"))
  (= 0 (str-lines "")) (= ["a"] (str-lines "a
")) (= ["a" "" "b"] (str-lines "a

b")) (= 0 (str-words " 
 ")) (= ["two" "words"] (str-words "  two
words "))
  (= "" (str-trim "  ")) (= "a b" (str-trim " a b ")) (= "a " (str-trim-left "  a "))
  (= " a" (str-trim-right " a  ")) (= "a-b-c" (str-replace ", " "-" "a, b, c"))
  (= "abc" (str-replace "" "-" "abc")) (= "ac" (str-replace "b" "" "abc"))
  (= 1000 (str-count "j" long)) (= 0 (str-count "" long)) (= 2 (str-count "aa" "aaaa"))
  (= "007" (str-pad-left 3 "0" "7")) (= "abc" (str-pad-left 2 "0" "abc"))
  (= "7.." (str-pad-right 3 "." "7")))
