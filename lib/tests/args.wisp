(require "std")
; Tests of the module args: every way to write an option.

(define valued ["out" "n"])
(defun (take-apart row) (args-parse valued row))
(define all-of-it (take-apart ["a" "-vq" "--out=x=y" "-n5" "-" "--" "-b"]))

(deftest options
  (= [0 0 0] (take-apart 0)) (= ["a" "-" "-b"] (args-rest all-of-it))
  (= ["x=y"] (args-option "out" all-of-it))
  (= ["5"] (args-option "n" all-of-it)) (= 1 (args-flag "v" all-of-it))
  (= 1 (args-flag "q" all-of-it))
  (= 0 (args-flag "z" all-of-it)) (= 0 (args-option "z" all-of-it))
  (= "d" (args-option-or "d" "z" all-of-it))
  (= ["x"] (args-option "out" (take-apart ["--out" "x"])))
  (= ["5"] (args-option "n" (take-apart ["-n" "5"])))
  (= ["5"] (args-option "n" (take-apart ["-vn5"])))
  (= [""] (args-option "out" (take-apart ["--out="])))
  (= ["b"] (args-option "out" (take-apart ["--out=a" "--out" "b"])))
  (= 1 (args-flag "verbose" (take-apart ["--verbose"])))
  (= ["on"] (args-option "colour" (take-apart ["--colour=on"])))
  (= ["-x"] (args-option "out" (take-apart ["--out" "-x"]))))

(deftest faults
  (= 0 (args-fault ["out" "n" "v" "q"] all-of-it))
  (= "there is no option -q" (args-fault ["out" "n" "v"] all-of-it))
  (= "there is no option --bogus" (args-fault valued (take-apart ["--bogus"])))
  (= "option --out needs a value" (args-fault valued (take-apart ["--out"])))
  (= "option -n needs a value" (args-fault valued (take-apart ["a" "-n"]))))
