(require "file")
; The process that runs: its number, its environment variables, its directory.
;
; Invariants:
; - functions that only look take an argument that they ignore, so that each call looks again.

(defun (process-id unused) "The number of this process.
(Truth (process-id 0))  => 1" (syscall (39 (And unused 0))))
; The strings of a text that each end with a NUL byte.
(defun (%nul-strings s i n)
  (@ end (%find-byte 0 s i n))
  (And (Lt i n) [(str-slice s i end) (%nul-strings s (Inc end) n)]))
(defun (%variable text) (Or (str-split-once "=" text) [text ""]))
(defun (environment-variables unused)
  "The map from the names of environment variables to their values.
Wants /proc mounted.
(map-get 'NO-SUCH-VARIABLE' (environment-variables 0))  => 0"
  (@ text (read-file (Seq (Nat unused) "/proc/self/environ")))
  (map-from (array (lmap %variable (%nul-strings text 0 (Bytes text))))))
(defun (get-variable name) "The value of an environment variable as [value]; 0 if it is not set.
(get-variable 'NO-SUCH-VARIABLE')  => 0" (map-get name (environment-variables 0)))
(defun (current-directory unused) "The path of the directory that relative paths start at.
(Load8 0 (current-directory 0))  => 47"
  (@ buf (XBufOp 4096))
  (Seq (Nat unused) (Seq buf
    (let ((n (sys-check "getcwd" "." (%held (syscall (79 (XPtrOp buf) 4096)) buf))))
      (Seq n (Load 0 (Dec n) buf))))))
(defun (change-directory path) "Makes a directory the one that relative paths start at; gives 0.
(try-io change-directory '/nowhere')  => 2"
  (@ name (%c-string path))
  (Seq name (%path-check "change directory" path (%held (syscall (80 (XPtrOp name))) name))))
