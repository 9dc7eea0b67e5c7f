(require "std")
; json: prints the JSON text on standard input with one member or element on a line, or with
; --compact all of it on one line.
;
;   plan wisp json.wisp [-- --compact] < FILE
;
; Status 0; 1 if the text is no JSON, with what was expected where on standard error; 2 for a
; command line that is not understood.

(defun (reprint compact input)
  (let ((parsed (json-parse input)))
    (if (IsApp parsed)
      (print-line ((if compact json-show json-pretty) (Ix0 parsed)))
      (do (print-error (fmt "json: {s}" parsed)) 1))))

(defun (main args)
  (let* ((options (args-parse 0 args))
         (fault   (args-fault ["compact"] options)))
    (if fault
      (do (print-error (fmt "json: {s} (use --compact or nothing)" fault)) 2)
      (reprint (args-flag "compact" options) (read-all 0)))))
