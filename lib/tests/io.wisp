(require "std")
; Tests of the module io; io.in beside this file is its input, io.out what it has to write.

; The code and payload of what (f x) throws.
(defun (thrown f x) (@ r (xtry f x)) [(Hd r) (Ix0 r)])

(deftest failures
  (= "no such file or directory" (error-text 2)) (= "error 9999" (error-text 9999))
  (= [17 ["io" "open" 2 "f: no such file or directory"]] (thrown (io-error "open" 2) "f"))
  (= 5 (sys-check "close" "f" 5)) (= 2 (try-io (sys-check "open" "f") (Sub (Bex 64) 2)))
  (= [9] (try-io Inc 8)) (= ["boom" 7] (thrown (try-io (Pin "boom")) 7))
  (= [17 7] (thrown (try-io Error) 7))
  (= 9 (try-io {fd -> (read-all fd)} 999)) (= 9 (try-io {s -> (write-str 999 s)} "x")))

(deftest writing
  (= 0 (print-line "line")) (= 0 (print-str "str")) (= 0 (xnewline 1)) (= 0 (xputstr "x"))
  (= 0 (xputstrLn "y")) (= 0 (write-str 1 "")) (= 0 (write-line 1 "z"))
  (= 0 (xwriteAll 1 "abcdef" 2 1))
  (= 0 (write-bytes 1 (bytes-from-row [65 0 10]))) (= 0 (print-line "")))

(deftest reading
  (= ["first line"] (read-line 0)) (= [""] (read-line 0)) (= "third" (Ix0 (read-line 0)))
  (= [4 "four"] (read-block 0 4)) (= [0 0] (read-block 0 0)))

(define rest (read-lines 0))

(deftest lines
  (= "th" (lnth 0 rest)) (= "" (lnth 1 rest)) (= "last, without line feed" (llast rest))
  (= 2003 (lsz rest)) (= 0 (read-line 0)) (= "" (read-all 0)) (= [0 0] (read-all-bytes 0))
  (all {i -> (Eq (strWeld "line " (showNat i)) (lnth (Add 2 i) rest))} (range 0 2000)))

; Writing to standard error is tested from outside: here it has to stay silent.
(deftest silent (IsPin print-error))

; The end of the process: the form behind it never runs.
(exit 256)
(Error "exit came back")
