(require "measure")
; words: counts the lines, words and bytes of a text of N bytes.
;
;   plan words.seed [N]      N = 4000000 unless given
;
; Measures reading single bytes of a large number. The text is one sentence over and over.

; The text s doubled until it has n bytes.
(defun (repeat n s) (if (Lt (Bytes s) n) (repeat n (cat s s)) (Trunc (Mul 8 n) s)))

; Is c a space or a line feed?
(defun (blank c) (Or (Eq c 32) (Eq c 10)))

; Goes on at byte i of n; inside is 1 within a word.
(defun (scan s i n inside words lines)
  (let* ((c (Load8 i s))
         (space (blank c)))
    (do
      words
      lines
      (if (Lt i n)
        (scan
          s
          (Inc i)
          n
          (Nil space)
          (if (And (Nil space) (Nil inside)) (Inc words) (Add words 0))
          (if (Eq c 10) (Inc lines) (Add lines 0)))
        [lines words]))))

(defun (main args)
  (let* ((n (size args 4000000))
         (s (repeat
              n
              (cat "The quick brown fox jumps over the lazy dog, and nobody minds." 10)))
         (r (scan s 0 n 0 0 0)))
    (do
      (report "lines: " (Ix 0 r))
      (report "words: " (Ix 1 r))
      (report "bytes: " (Bytes s))
      0)))
