(require "std")
; wc: counts the lines, words and bytes of standard input.
;
;   plan wisp wc.wisp < FILE
;
; Reads in blocks, so the input may be larger than the memory.

; Counts the bytes of a block from position i on. inside: 1 if the byte before belongs to a word.
(defun (scan block i inside lines words)
  (let* ((c     (Load8 i (Ix1 block)))
         (blank (isSpcChr c)))
    (if (Lt i (Ix0 block))
      (do lines words
        (scan block (Inc i) (not blank)
          (Add lines (Eq c 10))
          (Add words (And (not blank) (not inside)))))
      [inside lines words])))

; Counts what is left of the input.
(defun (count-input inside lines words bytes)
  (do
    (<- block (read-block 0 65536))
    (<- [next ls ws] (scan block 0 inside lines words))
    (if (Ix0 block)
      (count-input next ls ws (Add bytes (Ix0 block)))
      (print-line (fmt "{} {} {}" lines words bytes)))))

(defun (main args) (count-input 0 0 0 0))
