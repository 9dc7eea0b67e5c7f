(require "std")
; hello: greets the world, or everyone named on the command line.
;
;   plan wisp hello.wisp [-- NAME..]
;
; The smallest program here that does something: it gets its arguments as a row of strings (0 when
; there are none), writes to standard output and returns its exit status.

(defun (greet name) (print-line (fmt "Hello, {s}!" name)))

(defun (main args) (each greet (or args ["world"])))
