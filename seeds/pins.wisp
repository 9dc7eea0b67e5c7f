(require "measure")
; pins: makes N pins and reads them back.
;
;   plan pins.seed [N]      N = 400000 unless given
;
; Measures the making of pins: half of them hold a row of their own each, the others form a chain in
; which every pin holds the one before it.

(defun (pin x) (Pin x))

; A list of n pins, each of a row of three numbers.
(defun (flat n)
  (let* ((p (pin [n (Mul n n) 7])))
    (if n (Seq p [p (flat (Dec n))]) 0)))

; The sum of the first elements of the pinned rows of the list xs, and acc.
(defun (sum xs acc)
  (Seq acc (if (IsApp xs) (sum (Ix 1 xs) (Add acc (Ix 0 (Unpin (Ix 0 xs))))) acc)))

; A pin of n and of the pin of n-1, which holds .. down to p.
(defun (chain k n p) (Seq p (if (Lt n k) p (chain (Inc k) n (pin [k p])))))

; The sum of the numbers along a chain, and acc.
(defun (walk p acc)
  (let* ((r (Unpin p)))
    (Seq acc (if (IsPin p) (walk (Ix 1 r) (Add acc (Ix 0 r))) acc))))

(defun (main args)
  (let* ((n (Rsh (size args 400000) 1)))
    (do
      (report "flat: " (sum (flat n) 0))
      (report "chain: " (walk (chain 1 n 0) 0))
      0)))
