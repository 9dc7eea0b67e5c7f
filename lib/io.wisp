(require "bytes")
; Input and output on file descriptors: 0 is standard input, 1 standard output, 2 standard error.
;
; Invariants:
; - an effect happens when its result is evaluated; `do` puts effects in order;
; - functions that write take care of short writes and give 0;
; - a failure is the exception 17 with the row ["io" operation errno text]; try-io catches it;
; - a string that is read loses NUL bytes at its end; the functions whose names say bytes do not.

;; Failures

(define %errors [
  [1 "operation not permitted"] [2 "no such file or directory"] [4 "interrupted"]
  [5 "input or output error"] [9 "bad file descriptor"] [11 "not ready"] [12 "out of memory"]
  [13 "permission denied"] [16 "busy"] [17 "it exists"] [18 "on another file system"]
  [20 "not a directory"] [21 "is a directory"] [22 "invalid argument"] [23 "too many open files"]
  [24 "too many open files"] [26 "in execution"] [27 "too large"] [28 "no space left"]
  [29 "no seeking there"] [30 "read-only file system"] [32 "nobody reads it"] [36 "name too long"]
  [39 "directory not empty"] [40 "too many symbolic links"] [88 "not a socket"]
  [97 "address family not supported"] [98 "address in use"] [99 "address not available"]
  [101 "network unreachable"] [103 "connection aborted"] [104 "connection reset"]
  [106 "already connected"] [107 "not connected"] [110 "timed out"] [111 "connection refused"]
  [113 "no route to host"] [115 "in progress"]])
(defun (error-text errno) "What an error number of Linux means, in a few words.
(error-text 2)  => 'no such file or directory'"
  (@ hit (find {e -> (Eq errno (Ix0 e))} %errors))
  (If hit (Ix1 (Ix0 hit)) (strWeld "error " (showNat errno))))
(defun (io-error operation errno what)
  "Throws 17 with the row ['io' operation errno 'what: its meaning'].
(xtry {x -> (io-error 'open' 2 'f')} 0)  => (17 ['io' 'open' 2 'f: no such file or directory'])"
  (Error ["io" operation errno (str-concat [what ": " (error-text errno)])]))
(defun (sys-check operation what result)
  "The result of a system call; throws as io-error if it is an error.
(sys-check 'close' 'f' 0)  => 0"
  (If (Gt result 18446744073709547520)
    (io-error operation (Sub 18446744073709551616 result) what)
    result))
(defun (try-io f x) "[(f x)], or the error number if that fails with an error of input or output.
Other exceptions go on. The result of (f x) is evaluated wholly.
(try-io Inc 4)  => [5]
(try-io {x -> (io-error 'open' 2 'f')} 0)  => 2"
  (@ r (xtry f x))
  (@ p (Ix0 r))
  (If (Nil (Hd r)) [p]
    (If (And (Eq 17 (Hd r)) (And (Eq "io" (Ix0 p)) (Ix2 p)))
      (Ix2 p)
      ((Pin (Hd r)) p))))

;; Writing

(defun (xwriteAll fd s n from)
  "Writes n bytes of s from position from on, in as many calls as it takes.
(xwriteAll 1 'abc' 0 0)  => 0"
  (And n
    (let ((done (xwrite fd s n from)))
      (Seq done (xwriteAll fd s (Sub n done) (Add from done))))))
(defun (xnewline fd) "Writes a line feed." (xwriteAll fd 10 1 0))
(defun (write-str fd s) "Writes a string.
(write-str 1 '')  => 0" (xwriteAll fd s (Bytes s) 0))
(defun (write-line fd s)
  "Writes a string and a line feed, in one go." (xwriteAll fd (strWeld s 10) (Inc (Bytes s)) 0))
(defun (write-bytes fd b) "Writes bytes of module bytes.
(write-bytes 1 [0 0])  => 0" (xwriteAll fd (Ix1 b) (Ix0 b) 0))
(defun (xputstr s) "Writes a string to standard output.
(xputstr '')  => 0" (write-str 1 s))
(defun (xputstrLn s) "Writes a string and a line feed to standard output." (write-line 1 s))
(defun (print-str s) "Writes a string to standard output.
(print-str '')  => 0" (write-str 1 s))
(defun (print-line s) "Writes a string and a line feed to standard output." (write-line 1 s))
(defun (print-error s) "Writes a string and a line feed to standard error." (write-line 2 s))

;; Reading. Blocks are read into ordinary naturals, which the collector reclaims at once.

(defun (read-block fd n)
  "At least one byte and at most n bytes from a descriptor, as bytes; none at the end.
Waits until there is something.
(read-block 0 0)  => [0 0]"
  (@ r (xread fd (Bex (Lsh n 3)) n 0))
  (@ k (Hd r))
  (Ifz n bytes-empty
    (If (IsApp r)
      (let ((data (Trunc (Lsh k 3) (Ix0 r)))) (Seq data [k data]))
      (If (Eq r 4) (read-block fd n)
        (io-error "read" r (strWeld "descriptor " (showNat fd)))))))

(defun (%read-rest fd size blocks)
  (@ block (read-block fd size))
  (Seq block
    (Ifz (Ix0 block) (bytes-concat (array (lrev blocks)))
      (%read-rest fd (min 16777216 (Lsh size 1)) [block blocks]))))
(defun (read-all-bytes fd)
  "Everything from a descriptor up to the end, as bytes." (%read-rest fd 65536 0))
(defun (read-all fd)
  "Everything from a descriptor up to the end, as a string." (Ix1 (read-all-bytes fd)))

(defun (%read-line fd acc n)
  (@ block (read-block fd 1))
  (@ byte  (Ix1 block))
  (If (Nil (Ix0 block)) (And n [acc])
    (If (Eq 10 byte) [acc]
      (let ((more (Add acc (Lsh byte (Lsh n 3))))) (Seq more (%read-line fd more (Inc n)))))))
(defun (read-line fd) "The next line without its line feed, as [line]; 0 at the end.
Reads byte by byte, so nothing behind the line is lost: meant for a terminal; read-lines is
faster."
  (%read-line fd 0 0))

; The first position from i up to n with the byte c; n if there is none.
(defun (%find-byte c s i n)
  (If (Ge i n) n (If (Eq c (Load8 i s)) i (%find-byte c s (Inc i) n))))
; The lines of a block from position i on; `carry` holds what the line has so far, last part first.
(defun (%block-lines lines fd carry tail block i)
  (@ n   (Ix0 block))
  (@ end (%find-byte 10 (Ix1 block) i n))
  (@ part (bytes-slice block i end))
  (Ifz n (And (Ix0 tail) [(Ix1 tail) 0])
    (If (Lt end n)
      [(Ix1 (bytes-weld tail part))
       (%block-lines lines fd 0 bytes-empty block (Inc end))]
      (Seq part (lines fd (If (Ix0 part) [part carry] carry))))))
(defun (%lines fd carry)
  (@ block (read-block fd 65536))
  (@ tail  (bytes-concat (array (lrev carry))))
  (%block-lines %lines fd carry tail block 0))
(defun (read-lines fd) "The lines from a descriptor as a lazy list of strings without line feeds.
Blocks are read as the list is walked; keep no hold of its start if it is long." (%lines fd 0))

(defun (exit status)
  "Ends the process at once with a status; nothing is committed." (syscall (231 (Trunc8 status))))
