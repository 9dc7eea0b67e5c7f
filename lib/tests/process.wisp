(require "std")
; Tests of the module process.

(define here (current-directory 0))

(deftest process
  (Gt (process-id 0) 0) (= (process-id 0) (process-id 1)) (= 0 (get-variable "NO-SUCH-VARIABLE"))
  (Gt (map-size (environment-variables 0)) 0) (str-starts-with "/" (Ix0 (get-variable "PATH")))
  (= 0 (make-directory "inner")) (= 0 (change-directory "inner"))
  (= (strWeld here "/inner") (current-directory 1)) (= 0 (list-directory ".")))
