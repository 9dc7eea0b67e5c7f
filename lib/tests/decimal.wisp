(require "std")
; Tests of the module decimal: every width around the chunks, and numbers of thousands of digits.

(define big (Pow 7 20000))
(define widths (concat-map {w -> [(Dec (Pow 10 w)) (Pow 10 w)]} (range 1 70)))

(deftest showing
  (= "0" (showNat 0)) (= "9" (showNat 9)) (= "18446744073709551616" (showNat (Bex 64)))
  (= "10000000000000000" (showNat (Pow 10 16))) (= "9999999999999999" (showNat (Dec (Pow 10 16))))
  (all {n -> (planEq [n] (parse-nat (showNat n)))} widths)
  (all {w -> (Eq (Inc w) (Bytes (showNat (Pow 10 w))))} (range 0 70))
  (= 16902 (Bytes (showNat big))) (= [big] (parse-nat (showNat big)))
  (= "101" (show-binary 5)) (= "ff" (show-hex 255)) (= "deadbeef" (show-hex 3735928559))
  (= "zz" (show-radix 36 1295)) (= [big] (parse-radix 3 (show-radix 3 big)))
  (= [big] (parse-hex (show-hex big))) (= [big] (parse-binary (show-binary big))))

(deftest parsing
  (= 0 (parse-nat "")) (= 0 (parse-nat "-1")) (= 0 (parse-nat "1 ")) (= 0 (parse-nat "12a"))
  (= [7] (parse-nat "007")) (= [0] (parse-nat "0")) (= 0 (parse-hex "0x1"))
  (= [48879] (parse-hex "BeeF"))
  (= 0 (parse-hex "g")) (= 0 (parse-binary "2")) (= [35] (parse-radix 36 "Z"))
  (= 0 (parse-radix 36 "[")))

(deftest fixed-and-grouped
  (= "0.00" (show-fixed 2 0)) (= "0.07" (show-fixed 2 7)) (= "1.00" (show-fixed 2 100))
  (= "7" (show-fixed 0 7)) (= [12340] (parse-fixed 2 "123.4")) (= [12300] (parse-fixed 2 "123"))
  (= [7] (parse-fixed 2 "0.07")) (= 0 (parse-fixed 2 "")) (= 0 (parse-fixed 2 "."))
  (= 0 (parse-fixed 2 "1.")) (= 0 (parse-fixed 2 ".5")) (= 0 (parse-fixed 2 "1.234"))
  (= 0 (parse-fixed 2 "1.2.3")) (= 0 (parse-fixed 2 "1.x"))
  (= "0" (show-grouped "," 0)) (= "999" (show-grouped "," 999))
  (= "1,000" (show-grouped "," 1000))
  (= "12'345'678" (show-grouped "'" 12345678)))
