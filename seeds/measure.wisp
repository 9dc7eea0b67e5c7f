(require "lambda")
; What the programs that measure share: their argument, text and decimal numbers, output.
;
; The library has all of this and more. Here every program does the same simple work on every
; implementation, so that a measurement is about the program and not about a library.

; The number written in decimal digits in the text s, from byte i on.
(defun (number s i acc)
  (if (Lt i (Bytes s))
    (number s (Inc i) (Sub (Add (Mul acc 10) (Load8 i s)) 48))
    acc))

; The size of the run: the first argument of the program, else the given default.
(defun (size args default)
  (if (IsApp args) (number (Ix 0 args) 0 0) (Sub default 0)))

; Decimal digits of n in front of the text acc.
(defun (digits n acc)
  (let* ((qr   (DivMod n 10))
         (text (Add (Lsh acc 8) (Add 48 (Ix 1 qr)))))
    (if (Ix 0 qr) (digits (Ix 0 qr) text) (Seq text text))))

; n in decimal.
(defun (decimal n) (digits n 0))

; The text a followed by the text b.
(defun (cat a b) (Add a (Lsh b (Mul 8 (Bytes a)))))

; Writes the text s to standard output.
(defun (write s) (xwrite 1 s (Bytes s) 0))

; Writes a label, a number and a line feed.
(defun (report label n) (write (cat label (cat (decimal n) 10))))

; The sum of the n lowest bytes of x, and acc: a check value for a large number.
(defun (bytesum n x acc)
  (Seq acc (if n (bytesum (Dec n) x (Add acc (Load8 (Dec n) x))) acc)))
