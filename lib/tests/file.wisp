(require "std")
; Tests of the module file, in an empty directory.

(define data (bytes-from-row [1 0 2 0 0]))
; The code and payload of what (f x) throws.
(defun (thrown f x) (@ r (xtry f x)) [(Hd r) (Ix0 r)])

(deftest whole-files
  (= 0 (file-exists "a")) (= 0 (write-file "a" "hello")) (= "hello" (read-file "a"))
  (= 1 (file-exists "a"))
  (= 0 (append-file "a" " there")) (= "hello there" (read-file "a"))
  (= 0 (write-file "a" "x")) (= "x" (read-file "a"))
  (= 0 (write-file-bytes "b" data)) (= data (read-file-bytes "b"))
  (= ["file" 5] (take 2 (file-info "b")))
  (Gt (Ix2 (file-info "b")) 1600000000) (= 0 (append-file "new" "n")) (= "n" (read-file "new"))
  (= 0 (write-file "big" (str-repeat 30000 "0123456789"))) (= 300000 (Bytes (read-file "big")))
  (= ["a" "b" "big" "new"] (list-directory ".")))

(deftest names
  (= 0 (make-directory "dir")) (= "directory" (Ix0 (file-info "dir")))
  (= 17 (try-io make-directory "dir"))
  (= 0 (rename-file "a" "dir/c")) (= "x" (read-file "dir/c")) (= 0 (file-exists "a"))
  (= ["c"] (list-directory "dir"))
  (= 39 (try-io delete-directory "dir")) (= 0 (delete-file "dir/c"))
  (= 0 (delete-directory "dir"))
  (= 2 (try-io delete-file "dir/c")) (= 2 (try-io delete-directory "dir"))
  (= 2 (try-io (rename-file "a") "b"))
  (= 2 (try-io list-directory "dir")) (= 20 (try-io list-directory "b"))
  (= 21 (try-io read-file "."))
  (= 2 (try-io file-info "dir"))
  (= [17 ["io" "open" 2 "dir/x: no such file or directory"]] (thrown read-file "dir/x")))

(define fd (open-file "create" "fresh"))

(deftest descriptors
  (= 0 (write-line fd "one")) (= 0 (close-fd fd)) (= 9 (try-io close-fd fd))
  (= 17 (try-io (open-file "create") "fresh"))
  (= ["one"] (with-file "read" "fresh" read-line)) (= 22 (try-io (open-file "sideways") "fresh"))
  (= fd (open-file "read" "fresh")) (= 0 (close-fd fd))
  (= ["boom" 7] (thrown {x -> (with-file "read" "fresh" {f -> ((Pin "boom") x)})} 7))
  (= fd (open-file "read" "fresh")) (= 0 (close-fd fd)))

(define many
  (gen 600 {i -> (str-concat ["file with a long name number " (showNat (Add 1000 i))])}))

(deftest large-directories
  (= 0 (make-directory "many")) (= 0 (each {n -> (write-file (strWeld "many/" n) n)} many))
  (= many (list-directory "many")))
