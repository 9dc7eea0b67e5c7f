(require "std")
; server: a small HTTP server that keeps texts under names, in memory.
;
;   plan wisp server.wisp [-- --port=N] [--requests=N]
;
;   GET /         the names, one on a line          PUT /NAME      keeps the body under NAME
;   GET /NAME     the text under NAME, or 404       DELETE /NAME   forgets it, or 404
;
; Listens on this machine only, on a free port unless one is given, and says which on standard
; output. Serves one connection after the other, one request on each; a client that sends nothing
; for ten seconds is left. Ends after that many requests, if a number is given.
;
; The state is a map that every request turns into the next one: nothing is ever changed in place.

; Requests: a request is the row [method path body].

(define LONGEST "Bytes that a request may have." 1048576)

; The value of the header name among the lines of a request, or 0; names have no case.
(defun (header name lines)
  (let ((hit (find {l -> (Eq name (str-lower (Ix0 (str-split-once ":" l))))} lines)))
    (and hit (str-trim (Ix1 (str-split-once ":" (Ix0 hit)))))))

; The request in the text received so far: [request], 0 if more is needed, "bad" if it is none.
(defun (parse-request received)
  (let* ((s     (Ix1 received))
         (parts (str-split-once (text "\r\n\r\n") s))
         (lines (str-split (text "\r\n") (Ix0 parts)))
         (words (str-words (Ix0 lines)))
         (n     (parse-nat (or (header "content-length" lines) "0")))
         (start (Add 4 (Bytes (Ix0 parts)))))
    (cond
      ((not parts) (if (Gt (Ix0 received) LONGEST) "bad" 0))
      ((Or (Ne 3 (Sz words)) (not n)) "bad")
      ((Gt (Ix0 n) LONGEST) "bad")
      ((Lt (Ix0 received) (Add start (Ix0 n))) 0)
      (else [[(Ix0 words) (Ix1 words) (str-slice s start (Add start (Ix0 n)))]]))))

; Receives until there is a request: [request], or "bad".
(defun (receive fd received)
  (let ((request (parse-request received)))
    (if request request
      (if (not (tcp-wait fd 10000)) "bad"
        (do
          (<- more (tcp-receive fd 65536))
          (if (Ix0 more) (receive fd (bytes-weld received more)) "bad"))))))

; Answers.

(defun (answer status body)
  (str-concat ["HTTP/1.1 " status (text "\r\nContent-Length: ") (showNat (Bytes body))
    (text "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n") body]))

; The texts of a row, each on a line of its own.
(defun (as-lines row) (str-concat (map {s -> (strWeld s 10)} row)))

; The answer to a request and the state after it.
(defun (handle request state)
  (let* (([method path body] request)
         (name (str-drop 1 path)))
    (case method
      ("GET"
        (cond
          ((not name)           [(answer "200 OK" (as-lines (map-keys state))) state])
          ((map-has name state) [(answer "200 OK" (map-get-or 0 name state)) state])
          (else                 [(answer "404 Not Found" (text "no such name\n")) state])))
      ("PUT"
        (if name
          [(answer "204 No Content" 0) (map-put name body state)]
          [(answer "400 Bad Request" (text "a name is needed\n")) state]))
      ("DELETE"
        (if (map-has name state)
          [(answer "204 No Content" 0) (map-delete name state)]
          [(answer "404 Not Found" (text "no such name\n")) state]))
      (else [(answer "405 Method Not Allowed" (text "GET, PUT or DELETE\n")) state]))))

; Serves one connection; the state after it.
(defun (talk fd state)
  (do
    (<- request (receive fd bytes-empty))
    (<- [reply next]
      (if (IsApp request)
        (handle (Ix0 request) state)
        [(answer "400 Bad Request" (text "not understood\n")) state]))
    (tcp-send fd reply)
    next))

; Serves connections for ever, or so many requests if left is not 0.
(defun (serve listener left state)
  (do
    (<- fd (tcp-accept listener))
    ; A client that goes away is no reason to stop.
    (<- result (try-io (talk fd) state))
    (tcp-close fd)
    (if (Eq left 1) 0
      (serve listener (Dec left) (if (IsApp result) (Ix0 result) state)))))

; The number an option gives, or 0.
(defun (number-option name options)
  (let ((n (parse-nat (args-option-or "0" name options))))
    (if n (Ix0 n) 0)))

(defun (main args)
  (let* ((options (args-parse ["port" "requests"] args))
         (fault   (args-fault ["port" "requests"] options)))
    (if fault
      (do (print-error (fmt "server: {s} (use --port=N or --requests=N)" fault)) 2)
      (do
        (<- listener (tcp-listen loopback (number-option "port" options)))
        (print-line (fmt "listening on http://127.0.0.1:{}/" (tcp-port listener)))
        (serve listener (number-option "requests" options) map-empty)))))
