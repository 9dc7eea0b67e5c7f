(require "decimal")
; Bytes: data of an exact length, rows [length data]; for what may end with NUL bytes, as files,
; network data and binary formats do.
;
; Invariants:
; - data < 256^length; its byte i is the lowest but i;
; - positions count bytes from 0; reading past the end gives 0.

(defun (bytes-of n data) "The first n bytes of a natural or string.
(bytes-of 2 'abc')  => [2 'ab']" [(Nat n) (Trunc (Lsh n 3) data)])
(define bytes-empty "No bytes." [0 0])
(defun (bytes-zeros n) "n NUL bytes.
(bytes-zeros 3)  => [3 0]" [(Nat n) 0])
(defun (bytes-from-str s) "The bytes of a string.
(bytes-from-str 'abc')  => [3 'abc']" [(Bytes s) (Nat s)])
(defun (bytes-to-str b) "The string of the bytes; NUL bytes at the end vanish.
(bytes-to-str [5 'abc'])  => 'abc'" (Ix1 b))
(defun (bytes-from-row row) "The bytes in a row, each taken modulo 256.
(bytes-from-row [97 0])  => [2 97]" [(Sz row) (str-from-bytes row)])
(defun (bytes-to-row b) "The row of the bytes.
(bytes-to-row [2 97])  => [97 0]"
  (@ data (Ix1 b))
  (gen (Ix0 b) {i -> (Load8 i data)}))
(defun (bytes-length b) "The number of bytes. O(1).
(bytes-length [2 97])  => 2" (Ix0 b))
(defun (bytes-at i b) "Byte i; 0 past the end. O(1).
(bytes-at 1 [3 'abc'])  => 98" (Load8 i (Ix1 b)))
(defun (bytes-set i byte b) "b with byte i replaced; b itself if i is past the end.
(bytes-set 1 100 [3 'abc'])  => [3 'adc']"
  (If (Lt i (Ix0 b)) [(Ix0 b) (Store8 i byte (Ix1 b))] b))
(defun (bytes-slice b from to)
  "The bytes from position from up to, not including, to, as far as there are.
(bytes-slice [4 'abc'] 2 9)  => [2 'c']"
  (@ n (Sub (min to (Ix0 b)) from))
  [n (Load from n (Ix1 b))])
(defun (bytes-weld a b) "The bytes of a, then those of b.
(bytes-weld [2 'a'] [1 'b'])  => [3 (Add 97 (Lsh 98 16))]"
  [(Add (Ix0 a) (Ix0 b)) (Add (Ix1 a) (Lsh (Ix1 b) (Lsh (Ix0 a) 3)))])
(defun (%bytes-concat row from n)
  (@ half (Rsh n 1))
  (@ a (%bytes-concat row from half))
  (@ b (%bytes-concat row (Add from half) (Sub n half)))
  (If (Le n 1) (If n (Ix from row) bytes-empty)
    (Seq a (Seq b (bytes-weld a b)))))
(defun (bytes-concat row) "The bytes of a row of bytes, one behind the other. O(n log n) at most.
(bytes-concat [[1 'a'] [0 0] [1 'b']])  => [2 'ab']" (%bytes-concat row 0 (Sz row)))
(defun (bytes-equal a b) "1 if a and b are the same bytes, else 0.
(bytes-equal [2 97] [1 97])  => 0" (And (Eq (Ix0 a) (Ix0 b)) (Eq (Ix1 a) (Ix1 b))))
(defun (bytes-reverse b) "The bytes in reverse.
(bytes-reverse [3 'ab'])  => [3 (Lsh 'ba' 8)]"
  (@ n (Ix0 b))
  (@ data (Ix1 b))
  [n (strGen n {i -> (Load8 (Sub n (Inc i)) data)})])

;; Numbers in bytes

(defun (bytes-get-le i w b) "The number in the w bytes at position i, least significant first.
(bytes-get-le 0 2 [2 (Add 1 (Lsh 2 8))])  => 513" (Load i w (Ix1 b)))
(defun (bytes-get-be i w b) "The number in the w bytes at position i, most significant first.
(bytes-get-be 0 2 [2 (Add 1 (Lsh 2 8))])  => 258"
  (bytes-to-str (bytes-reverse [w (Load i w (Ix1 b))])))
(defun (bytes-le w n) "n modulo 256^w in w bytes, least significant first.
(bytes-to-row (bytes-le 2 258))  => [2 1]" (bytes-of w n))
(defun (bytes-be w n) "n modulo 256^w in w bytes, most significant first.
(bytes-to-row (bytes-be 2 258))  => [1 2]" (bytes-reverse (bytes-of w n)))

;; Bytes as hexadecimal text

(defun (%hex-digit d) (Add d (If (Lt d 10) 48 87)))
(defun (bytes-hex b) "Two lower-case hexadecimal digits for each byte.
(bytes-hex [3 'az'])  => '617a00'"
  (@ data (Ix1 b))
  (strGen (Lsh (Ix0 b) 1) {i ->
    (let ((byte (Load8 (Rsh i 1) data)))
      (%hex-digit (If (Test 0 i) (Trunc 4 byte) (Rsh byte 4))))}))
(defun (bytes-from-hex s) "The bytes of hexadecimal text, as [bytes]; 0 if it is none.
(bytes-from-hex '617a00')  => [[3 'az']]"
  (@ n (Rsh (Bytes s) 1))
  (@ byte {i -> (Ix0 (parse-hex (Load (Lsh i 1) 2 s)))})
  (And (Nil (Test 0 (Bytes s))) (And (Or (Nil s) (parse-hex s)) [[n (strGen n byte)]])))
