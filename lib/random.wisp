(require "file")
; Random numbers: from the system, and from a seed.
;
; Invariants:
; - what comes from the system is fit for keys; what comes from a seed is not, but repeatable;
; - a generator is an odd natural below 2^128, its state; functions that draw give [value next].

;; From the system

(defun (random-bytes n) "n unpredictable bytes from the system.
(bytes-length (random-bytes 10))  => 10"
  (@ size (min n 256))
  (@ buf  (XBufOp size))
  (@ got  (sys-check "getrandom" "system" (%held (syscall (318 (XPtrOp buf) size 0)) buf)))
  (@ some (Trunc (Lsh got 3) buf))
  (Ifz n bytes-empty
    (Seq buf (Seq got (Seq some (bytes-weld [got some] (random-bytes (Sub n got))))))))
(defun (random-below n) "An unpredictable number below n, all of them equally likely; 0 for n = 0.
(random-below 1)  => 0"
  (@ bits (Bits (Dec n)))
  (@ draw (Trunc bits (Ix1 (random-bytes (Rsh (Add bits 7) 3)))))
  (If (Ge draw (max n 1)) (random-below n) draw))

;; From a seed: the 128-bit multiplicative generator with the multiplier of Steele and Vigna
;; (Computationally easy, spectrally good multipliers, 2022), of which the upper half is taken.

(defun (%random-step state) (Trunc 128 (Mul state 15750249268501108917)))
(defun (random-from seed)
  "The generator that a natural stands for; every seed below 2^127 has its own.
(random-from 5)  => (random-from 5)"
  (@ state (Inc (Lsh (Trunc 127 seed) 1)))
  (%random-step (%random-step (%random-step state))))
(defun (random-word state) "[a number below 2^64, the next generator].
(Lt (Ix0 (random-word (random-from 1))) (Bex 64))  => 1"
  (@ next (%random-step state))
  (Seq next [(Rsh next 64) next]))
(defun (random-next n state)
  "[a number below n, the next generator]; n is at most 2^64. The bias is below n/2^64.
(Ix0 (random-next 1 (random-from 1)))  => 0"
  (@ r (random-word state))
  (@ x (Rsh (Mul n (Ix0 r)) 64))
  (Seq x [x (Ix1 r)]))
(defun (%random-list f n state)
  (@ r (f state))
  (And n (Seq r [(Ix0 r) (%random-list f (Dec n) (Ix1 r))])))
(defun (random-row count n state) "A row of that many numbers below n, drawn one after the other.
(Sz (random-row 5 10 (random-from 1)))  => 5"
  (Row 0 count (%random-list (random-next n) count state)))
(defun (shuffle row state)
  "The elements in an order drawn from a generator. O(n log n).
All orders are equally likely, as far as 64 bits for each element can tell.
(sort (shuffle [1 2 3] (random-from 1)))  => [1 2 3]"
  (@ keys (Row 0 (Sz row) (%random-list random-word (Sz row) state)))
  (map Ix1 (sort-by {a b -> (Lt (Ix0 a) (Ix0 b))} (zip keys row))))
