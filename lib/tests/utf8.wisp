(require "std")
; Tests of the module utf8: the limits of each length, and malformed sequences.

(define limits [1 127 128 2047 2048 55295 57344 65535 65536 1114111])

(deftest encoding
  (= [97] (str-bytes (utf8-encode 97))) (= [195 164] (str-bytes (utf8-encode 228)))
  (= [226 130 172] (str-bytes (utf8-encode 8364)))
  (= [240 159 152 128] (str-bytes (utf8-encode 128512)))
  (= (utf8-encode 65533) (utf8-encode 55296)) (= (utf8-encode 65533) (utf8-encode 1114112))
  (= limits (utf8-decode (utf8-from limits))) (= 10 (utf8-length (utf8-from limits)))
  (= 1 (utf8-valid (utf8-from limits))) (= 1 (utf8-valid "")))

(deftest malformed
  (= [65533] (utf8-decode 255)) (= [65533 97] (utf8-decode (str-from-bytes [195 97])))
  (= [65533] (utf8-decode 195)) (= [65533 65533] (utf8-decode (str-from-bytes [192 128])))
  (= [65533 65533 65533] (utf8-decode (str-from-bytes [237 160 128])))
  (= [65533 65533 65533 65533] (utf8-decode (str-from-bytes [244 144 128 128])))
  (= 0 (utf8-valid 255)) (= 0 (utf8-valid (str-from-bytes [224 128 175])))
  (= ~[97] (ltake 1 (utf8-list "abc"))) (= 0 (utf8-length "")))
