(require "string")
; UTF-8 (RFC 3629): characters beyond ASCII in strings.
;
; Invariants:
; - a code point is a natural below 0x110000 that is no surrogate (0xd800 to 0xdfff);
; - decoding never fails: each byte that belongs to no well-formed sequence gives 65533.

(defun (%tail-byte n shift) (Add 128 (Trunc 6 (Rsh n shift))))
(defun (utf8-encode n) "The string of one code point; anything else gives that of 65533.
(utf8-encode 228)  => 42179"
  (If (Lt n 128) n
    (If (Lt n 2048) (Add (Add 192 (Rsh n 6)) (Lsh (%tail-byte n 0) 8))
      (If (Or (Ge n 1114112) (Eq (Rsh n 11) 27)) (utf8-encode 65533)
        (If (Lt n 65536)
          (Add (Add 224 (Rsh n 12)) (Add (Lsh (%tail-byte n 6) 8) (Lsh (%tail-byte n 0) 16)))
          (Add (Add (Add 240 (Rsh n 18)) (Lsh (%tail-byte n 12) 8))
               (Add (Lsh (%tail-byte n 6) 16) (Lsh (%tail-byte n 0) 24))))))))

; The length of the sequence that a byte starts, 0 if it starts none.
(defun (%sequence c)
  (If (Lt c 128) 1 (If (Lt c 194) 0 (If (Lt c 224) 2 (If (Lt c 240) 3 (Mul 4 (Lt c 245)))))))
; The value of the w bytes at i of s; bytes that do not belong there make it huge.
(defun (%sequence-value s i w acc)
  (@ c (Load8 i s))
  (Seq acc (Ifz w acc
    (%sequence-value s (Inc i) (Dec w)
      (If (Eq 2 (Rsh c 6)) (Add (Lsh acc 6) (Trunc 6 c)) 2097152)))))
; [code point, bytes it takes] at position i, [65533 1] where the text is malformed.
(defun (%code-point s i)
  (@ c (Load8 i s))
  (@ w (%sequence c))
  (@ n (%sequence-value s (Inc i) (Dec w) (Trunc (If (Lt w 2) 8 (Sub 7 w)) c)))
  (@ least (Ix w [1 0 128 2048 65536]))
  (If (And w (And (Ge n least) (And (Lt n 1114112) (Ne (Rsh n 11) 27))))
    [n w] [65533 1]))
(defun (%code-points s i n)
  (@ r (%code-point s i))
  (And (Lt i n) (Seq r [(Ix0 r) (%code-points s (Add i (Ix1 r)) n)])))
(defun (utf8-list s) "The code points of a string as a lazy list.
(utf8-list 'ab')  => ~[97 98]" (%code-points s 0 (Bytes s)))
(defun (utf8-decode s) "The code points of a string as a row.
(utf8-decode 'ab')  => [97 98]" (array (utf8-list s)))
(defun (utf8-from row) "The string of a row of code points.
(utf8-decode (utf8-from [97 8364 128512]))  => [97 8364 128512]"
  (str-concat (map utf8-encode row)))
(defun (utf8-length s) "The number of code points. O(n).
(utf8-length (utf8-encode 8364))  => 1" (lsz (utf8-list s)))
(defun (utf8-valid s) "1 if the string is well-formed UTF-8, else 0.
(utf8-valid 255)  => 0" (Eq s (utf8-from (utf8-decode s))))
