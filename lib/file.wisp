(require "io")
(require "map")
; Files and directories, by system calls of Linux.
;
; Invariants:
; - paths are strings without NUL bytes, relative to the current directory or absolute;
; - a failure is an exception as of io-error, whose text names the path; try-io catches it;
; - descriptors are closed on success and on failure alike, and not passed on to other programs;
; - a buffer whose address the system was given is looked at afterwards, which keeps it alive.

(define %poke (Pin 7))
; A buffer that holds a string and a NUL byte behind it.
(defun (%c-string s)
  (@ n   (Inc (Bytes s)))
  (@ buf (XBufOp n))
  (Seq buf (Seq (%poke [(XPtrOp buf) s 0 n]) buf)))
; r, after the buffers that the system call r read or wrote have been looked at.
(defun (%held r buf) (Seq r (Seq (Load8 0 buf) r)))

; A system call whose arguments are a number and the address of a path, then two more.
(defun (%path-call nr first path a b)
  (@ buf (%c-string path))
  (Seq buf (%held (syscall (nr first (XPtrOp buf) a b)) buf)))
(define %here 18446744073709551516)
(defun (%path-check operation path result)
  (Seq result (sys-check operation path result)))

;; Descriptors

(define %flags [[0 524288] ["read" 524288] ["write" 524865] ["append" 525377] ["create" 524481]])
(defun (open-file mode path) "Opens a file and gives its descriptor; close it with close-fd.
The mode is 'read'; 'write' (made or emptied); 'append' (made if missing); or 'create' (must not
be there yet).
(try-io (open-file 'read') '/nowhere/x')  => 2"
  (@ hit (find {m -> (Eq mode (Ix0 m))} %flags))
  (If hit
    (%path-check "open" path (%path-call 257 %here path (Ix1 (Ix0 hit)) 438))
    (io-error "open" 22 (strWeld "mode " mode))))
(defun (close-fd fd) "Closes a descriptor; gives 0.
(try-io close-fd 999)  => 9"
  (sys-check "close" (strWeld "descriptor " (showNat fd)) (syscall (3 fd))))
; The result of (f fd), the descriptor being closed afterwards in any case.
(defun (%with-fd fd f)
  (@ r (xtry f fd))
  (Seq fd (Seq r (Seq (close-fd fd)
    (If (Hd r) ((Pin (Hd r)) (Ix0 r)) (Ix0 r))))))
(defun (with-file mode path f)
  "(f fd) for a file opened as by open-file, and closed afterwards in any case.
The result is evaluated wholly before the file is closed.
(with-file 'read' '/dev/null' read-all)  => 0"
  (%with-fd (open-file mode path) f))

;; Whole files

(defun (read-file path) "The content of a file as a string; NUL bytes at its end vanish.
(read-file '/dev/null')  => 0" (with-file "read" path read-all))
(defun (read-file-bytes path) "The content of a file as bytes.
(read-file-bytes '/dev/null')  => [0 0]" (with-file "read" path read-all-bytes))
(defun (write-file path s) "Makes or replaces a file with a string as its content; gives 0.
(write-file '/dev/null' 'abc')  => 0"
  (with-file "write" path {fd -> (write-str fd s)}))
(defun (write-file-bytes path b) "Makes or replaces a file with bytes as its content; gives 0.
(write-file-bytes '/dev/null' [3 'abc'])  => 0"
  (with-file "write" path {fd -> (write-bytes fd b)}))
(defun (append-file path s) "Appends a string to a file, which is made if missing; gives 0.
(append-file '/dev/null' 'abc')  => 0"
  (with-file "append" path {fd -> (write-str fd s)}))

;; Names

(defun (%stat path)
  (@ name (%c-string path))
  (@ buf  (XBufOp 144))
  (Seq name (Seq buf
    (let ((r (%held (syscall (262 %here (XPtrOp name) (XPtrOp buf) 0)) name)))
      (Seq r [r (Load 0 144 buf)])))))
(defun (%kind mode)
  (Case 0 (map-get (Rsh mode 12)
    (map-from [[4 "directory"] [8 "file"] [2 "device"] [6 "device"] [1 "pipe"] [12 "socket"]]))
    "other"))
(defun (file-info path)
  "What is known of a file: [kind size changed].
The kind is 'file', 'directory', 'device', 'pipe', 'socket' or 'other', the size in bytes, the time
of the last change in seconds since 1970. Symbolic links are followed.
(Ix0 (file-info '/dev/null'))  => 'device'"
  (@ r (%stat path))
  (@ s (Ix1 r))
  (Seq (sys-check "stat" path (Ix0 r))
    [(%kind (Load 24 4 s)) (Load 48 8 s) (Load 88 8 s)]))
(defun (file-exists path) "1 if there is a file, directory or other thing of that name, else 0.
(file-exists '/dev/null')  => 1" (Nil (Ix0 (%stat path))))

(defun (delete-file path) "Deletes a file; gives 0.
(try-io delete-file '/nowhere/x')  => 2"
  (%path-check "delete" path (%path-call 263 %here path 0 0)))
(defun (make-directory path) "Makes a directory; gives 0.
(try-io make-directory '/nowhere/x')  => 2"
  (%path-check "make directory" path (%path-call 258 %here path 511 0)))
(defun (delete-directory path) "Deletes an empty directory; gives 0.
(try-io delete-directory '/nowhere/x')  => 2"
  (%path-check "delete directory" path (%path-call 263 %here path 512 0)))
(defun (rename-file from to)
  "Gives a file or directory another name, replacing a file there; gives 0.
The step is atomic: others see the old or the new content.
(try-io (rename-file '/nowhere/x') '/nowhere/y')  => 2"
  (@ old (%c-string from))
  (@ new (%c-string to))
  (Seq old (Seq new
    (%path-check "rename" from
      (%held (%held (syscall (82 (XPtrOp old) (XPtrOp new))) old) new)))))

; The names in a block of n bytes of directory entries, without . and .. : see getdents64(2).
(defun (%entries data n i rest)
  (@ from (Add i 19))
  (@ name (str-slice data from (%find-byte 0 data from n)))
  (@ more (If (Or (Eq name 46) (Eq name 11822)) rest [name rest]))
  (Seq rest (If (Ge i n) rest
    (Seq more (%entries data n (Add i (Load (Add i 16) 2 data)) more)))))
(defun (%list-fd fd names)
  (@ buf (XBufOp 32768))
  (Seq names (Seq buf
    (let ((n (sys-check "list" "directory" (%held (syscall (217 fd (XPtrOp buf) 32768)) buf))))
      (Ifz n names
        (let ((data (Trunc (Lsh n 3) buf)))
          (Seq data (%list-fd fd (%entries data n 0 names)))))))))
(defun (list-directory path)
  "The names in a directory, sorted, without . and .. ; a row of strings.
(has 'null' (list-directory '/dev'))  => 1"
  (sort-by str-less
    (array (%with-fd
      (%path-check "open" path (%path-call 257 %here path 589824 0))
      {fd -> (%list-fd fd 0)}))))
