(require "std")
; mandelbrot: draws the Mandelbrot set in letters, with whole numbers alone.
;
;   plan wisp mandelbrot.wisp [-- COLUMNS [STEPS]]      78 columns and 64 steps unless given
;
; Naturals have no sign, so a coordinate is kept with 8 added, in units of 2^-24: the point 0 is
; ZERO, and a difference is taken by adding before subtracting.

(define UNIT (Lsh 1 24))
(define ZERO (Mul 8 UNIT))

; The product of two coordinates, (a-8)(b-8) + 8: of their distances from ZERO, the sign put back.
(defun (times a b)
  (let* ((distance {x -> (if (Lt x ZERO) (Sub ZERO x) (Sub x ZERO))})
         (p (Rsh (Mul (distance a) (distance b)) 24)))
    (if (Eq (Lt a ZERO) (Lt b ZERO)) (Add ZERO p) (Sub ZERO p))))

; How many steps of z := z^2 + c stay within distance 2 of 0, at most n.
(defun (steps cx cy n)
  (letrec
    ((go {i x y ->
       (let* ((xx (times x x))
              (yy (times y y)))
         (if (Or (Eq i n) (Gt (Add xx yy) (Add ZERO (Add ZERO (Mul 4 UNIT)))))
           i
           (let* ((x2 (Sub (Add xx cx) yy))
                  (y2 (Sub (Add (Mul 2 (times x y)) cy) (Mul 2 ZERO))))
             (Seq x2 (Seq y2 (go (Inc i) x2 y2))))))}))
    (go 0 ZERO ZERO)))

(define SHADES " .:-=+*%@#")

; The letter for a number of steps: a blank inside the set.
(defun (shade k n)
  (Load8 (if (Eq k n) 0 (Inc (Mod k 9))) SHADES))

; A line of the picture: columns from -2 to 1, at height y.
(defun (line columns n y)
  (strGen columns
    {i -> (shade (steps (Add (Sub ZERO (Mul 2 UNIT)) (Div (Mul i (Mul 3 UNIT)) columns)) y n) n)}))

; A letter is twice as high as wide, so there are half as many lines as would make the picture
; square: from 1.2 above the middle to 1.2 below.
(defun (draw columns n)
  (let* ((height (Div (Mul 12 UNIT) 5))
         (lines  (Div (Mul columns 2) 5))
         (y      {i -> (Sub (Add ZERO (Rsh height 1)) (Div (Mul i height) (Dec lines)))}))
    (each {i -> (print-line (str-trim-right (line columns n (y i))))} (range 0 lines))))

; Argument i as a number.
(defun (argument args i default)
  (let ((n (and (Lt i (Sz args)) (parse-nat (Ix i args)))))
    (if n (Ix0 n) default)))

(defun (main args) (draw (max 10 (argument args 0 78)) (max 1 (argument args 1 64))))
