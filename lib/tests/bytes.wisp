(require "std")
; Tests of the module bytes: NUL bytes at the end, positions past it, both byte orders.

(define some (bytes-from-row [1 2 0 4 0]))

(deftest bytes
  (= [2 "ab"] (bytes-of 2 "abc")) (= [5 "abc"] (bytes-of 5 "abc")) (= [0 0] bytes-empty)
  (= [3 0] (bytes-zeros 3)) (= [3 "abc"] (bytes-from-str "abc"))
  (= "abc" (bytes-to-str [7 "abc"]))
  (= 5 (bytes-length some)) (= [1 2 0 4 0] (bytes-to-row some)) (= 0 (bytes-to-row bytes-empty))
  (= 4 (bytes-at 3 some)) (= 0 (bytes-at 9 some))
  (= [1 2 0 4 9] (bytes-to-row (bytes-set 4 9 some))) (= some (bytes-set 5 9 some))
  (= [2 0] (bytes-to-row (bytes-slice some 1 3))) (= [0] (bytes-to-row (bytes-slice some 4 9)))
  (= bytes-empty (bytes-slice some 9 12)) (= bytes-empty (bytes-slice some 3 2))
  (= [1 2 0 4 0 1 2 0 4 0] (bytes-to-row (bytes-weld some some)))
  (= bytes-empty (bytes-concat 0))
  (= [1 2 0 4 0 7] (bytes-to-row (bytes-concat [some [0 0] [1 7]])))
  (= 1 (bytes-equal some some)) (= 0 (bytes-equal [1 7] [2 7]))
  (= [0 4 0 2 1] (bytes-to-row (bytes-reverse some))))

(deftest numbers
  (= 262145 (bytes-get-le 0 3 (bytes-from-row [1 0 4])))
  (= 65540 (bytes-get-be 0 3 (bytes-from-row [1 0 4])))
  (= 4 (bytes-get-be 1 2 (bytes-from-row [1 0 4]))) (= [3 (Lsh 5 8)] (bytes-of 3 (Lsh 5 8)))
  (= [0 5 0] (bytes-to-row (bytes-be 3 1280))) (= [0 5 0] (bytes-to-row (bytes-le 3 1280)))
  (= "01020004" (bytes-hex (bytes-slice some 0 4))) (= [some] (bytes-from-hex "0102000400"))
  (= [some] (bytes-from-hex (bytes-hex some))) (= 0 (bytes-from-hex "0"))
  (= 0 (bytes-from-hex "0g"))
  (= [bytes-empty] (bytes-from-hex "")))
