(require "string")
; Naturals as text: decimal, other bases, fixed point, groups of digits.
;
; Invariants:
; - showing and parsing work on halves, so a number of n digits costs O(M(n) log n), M being
;   the cost of multiplication (Knuth, The Art of Computer Programming 2, 4.4);
; - parsers give [n], or 0 if the text is not wholly a number of that form; the empty text is
;   none.

(define %chunk 16)

; b to the power p. The operation Pow is missing in the reference implementation, under which
; programs that show numbers should run, too.
(defun (%power b p)
  (@ half (%power b (Rsh p 1)))
  (@ even (Mul half half))
  (Ifz p 1 (If (Trunc 1 p) (Mul b even) even)))

; n in exactly w characters, most significant first: the digits from the right, in a loop.
(defun (%digits base n w acc)
  (@ d (Mod n base))
  (@ c (Add d (If (Lt d 10) 48 87)))
  (Seq acc (Ifz w acc
    (%digits base (Div n base) (Dec w) (Add (Lsh acc 8) c)))))

; base to the power n, by squaring. Not Pow, which other implementations lack: so a saved program
; that shows a number runs there too.
(defun (%power base n)
  (@ half (%power (Mul base base) (Rsh n 1)))
  (Ifz n 1 (If (Test 0 n) (Mul base half) half)))

; The powers base^16, base^32, base^64 ... as a list of [power digits], largest first, as far as
; they do not exceed n.
(defun (%powers n power digits acc)
  (If (Gt power n) acc
    (%powers n (Mul power power) (Lsh digits 1) [[power digits] acc])))

; n in exactly 2 * digits characters of the first power, or 16 when there is no power.
(defun (%show-halves base n powers)
  (@ half (Ix0 powers))
  (@ both (DivMod n (Ix0 half)))
  (@ high (%show-halves base (Ix0 both) (Ix1 powers)))
  (@ low  (%show-halves base (Ix1 both) (Ix1 powers)))
  (Ifz powers (%digits base n %chunk 0)
    (Seq high (Add high (Lsh low (Lsh (Ix1 half) 3))))))

(defun (show-radix base n) "n in base 2 to 36, with lower-case letters for the digits from 10 on.
(show-radix 2 10)  => '1010'
(show-radix 36 35)  => 'z'"
  (@ s (%show-halves base n (%powers n (%power base %chunk) %chunk 0)))
  (Ifz n "0" (str-drop (str-scan (Ne 48) s 0) s)))
(defun (showNat n) "n in decimal digits.
(showNat 120)  => '120'" (show-radix 10 n))
(defun (show-hex n) "n in hexadecimal digits, lower case, without a prefix.
(show-hex 255)  => 'ff'" (show-radix 16 n))
(defun (show-binary n) "n in binary digits.
(show-binary 5)  => '101'" (show-radix 2 n))

;; Parsing

; The value of a digit, 36 for any other byte.
(defun (%digit c)
  (If (And (Le 48 c) (Le c 57)) (Sub c 48)
    (let ((low (Sub (Set 5 c) 97)))
      (If (And (isAlpha c) 1) (Add 10 low) 36))))

(defun (%parse-loop base s i n acc)
  (Seq acc (Ifz n acc
    (%parse-loop base s (Inc i) (Dec n) (Add (Mul acc base) (%digit (Load8 i s)))))))
(defun (%parse-halves base s i n)
  (@ right (Rsh n 1))
  (@ left  (Sub n right))
  (If (Le n %chunk) (%parse-loop base s i n 0)
    (Add (Mul (%parse-halves base s i left) (%power base right))
         (%parse-halves base s (Add i left) right))))
(defun (parse-radix base s) "The number with these digits in base 2 to 36, as [n]; else 0.
(parse-radix 2 '101')  => [5]
(parse-radix 2 '102')  => 0"
  (And s (And (strAll {c -> (Lt (%digit c) base)} s)
    [(%parse-halves base s 0 (Bytes s))])))
(defun (parse-nat s) "The number with these decimal digits, as [n]; else 0.
(parse-nat '120')  => [120]
(parse-nat '12a')  => 0" (parse-radix 10 s))
(defun (parse-hex s) "The number with these hexadecimal digits, either case, as [n]; else 0.
(parse-hex 'fF')  => [255]" (parse-radix 16 s))
(defun (parse-binary s) "The number with these binary digits, as [n]; else 0.
(parse-binary '101')  => [5]" (parse-radix 2 s))

;; Fixed point and groups

(defun (show-fixed places n)
  "n / 10^places as decimal text with that many digits behind the point.
(show-fixed 2 12345)  => '123.45'
(show-fixed 2 7)  => '0.07'
(show-fixed 0 7)  => '7'"
  (@ s (str-pad-left (Inc places) 48 (showNat n)))
  (@ w (Sub (Bytes s) places))
  (Ifz places s (str-join 46 [(str-take w s) (str-drop w s)])))
(defun (parse-fixed places s)
  "The inverse of show-fixed: [n] with n / 10^places the number, else 0.
Digits behind the point may be missing, but there may be no more than places.
(parse-fixed 2 '123.4')  => [12340]
(parse-fixed 2 '0.001')  => 0"
  (@ parts (Or (str-split-once 46 s) [s 0]))
  (@ point (Ne (Bytes s) (Bytes (Ix0 parts))))
  (@ more  (Ix1 parts))
  (And (Ix0 parts) (And (Or (Nil point) more) (And (Le (Bytes more) places)
    (parse-nat (strWeld (Ix0 parts) (str-pad-right places 48 more)))))))
(defun (show-grouped sep n) "n in decimal with sep between groups of three digits.
(show-grouped ',' 1234567)  => '1,234,567'"
  (@ s    (showNat n))
  (@ lead (Inc (Mod (Dec (Bytes s)) 3)))
  (@ rest (str-drop lead s))
  (@ more (gen (Div (Bytes rest) 3) {i -> (str-slice rest (Mul i 3) (Add 3 (Mul i 3)))}))
  (str-join sep (weld [(str-take lead s)] more)))
