(require "std")
; kv: a key-value server over HTTP/1.1 that keeps its data in its own executable.
;
;   plan build kv.wisp -o kv                 makes the executable
;   ./kv [PORT] [--public] [--requests=N]    serves; PORT 0, or none, lets the system choose
;
;   GET /       the keys, one on a line      PUT /KEY      keeps the body of the request under KEY
;   GET /KEY    the value, or 404            DELETE /KEY   forgets it, or 404
;
; Prints where it listens: on this machine only, on all its addresses with --public. Ends after N
; requests if a number is given. A value is any bytes, up to 1 MiB; a key is what stands in the
; request, its %XX not decoded.
;
; One thread serves all connections. In each turn it takes a request from every connection that has
; one, commits the table if they changed it, and sends the answers then. So what was answered is
; durable, and requests that come together share a commit.
;
; Invariants:
; - a connection is read only while it has no answer to send, so what is kept for it is bounded;
; - no client is waited for: sending and receiving take what goes at once;
; - an answer to a request that was not understood is the last one of its connection.

(define HEAD "Bytes that the head of a request may have." 16384)
(define BODY "Bytes that a value may have." 1048576)
(define MANY "Connections that are served at the same time." 256)
(define IDLE "Seconds after which a connection on which nothing happens is closed." 30)

; What a connection may begin with. FAULT: something to be refused with this status. REQUEST:
; method, key, body, 1 if the connection stays, bytes it takes. "continue": a request whose client
; wants to hear that it may send the body. "wait": nothing yet.

(deftype Parsed (FAULT Str) (REQUEST Str Str Bytes Nat Nat))

; The row of the values of the header name (in lower case) among lines.
(defun (header name lines)
  (@ n (Bytes name))
  (@ hit {line -> (and (Eq 58 (Load8 n line)) (Eq name (str-lower (str-take n line))))})
  (map {line -> (str-trim (str-drop (Inc n) line))} (filter hit lines)))
; The length of the body that follows these lines, as [length]; 0 if it is not clear.
(defun (body-length lines)
  (@ fields (header "content-length" lines))
  (if fields (and (Eq 1 (Sz fields)) (parse-nat (Ix0 fields))) [0]))
; 1 if the connection stays open behind a request.
(defun (stays version lines)
  (@ wish (str-lower (or (Ix0 (header "connection" lines)) "")))
  (if (Eq version "HTTP/1.1") (not (str-contains "close" wish)) (str-contains "keep-alive" wish)))

; What the bytes received so far begin with; start is where the head ends, if it does.
(defun (parse-body received start words lines)
  (@ n [(Ix0 (body-length lines))])
  (@ end (Add start (Ix0 n)))
  (@ asked (Eq "100-continue" (str-lower (Ix0 (header "expect" lines)))))
  (@ [method target version] words)
  (cond
    ((or (Ne 3 (Sz words)) (Ne 47 (Load8 0 target)) (not (str-starts-with "HTTP/1." version)))
      (FAULT "400 Bad Request"))
    ((header "transfer-encoding" lines) (FAULT "411 Length Required"))
    ((not (body-length lines))          (FAULT "400 Bad Request"))
    ((Gt (Ix0 n) BODY)                  (FAULT "413 Content Too Large"))
    ((Ge (Ix0 received) end)
      (REQUEST method (str-drop 1 target) (bytes-slice received start end)
        (stays version lines) end))
    (else (if asked "continue" "wait"))))
(defun (parse-request received)
  (@ end   (str-index-of (text "\r\n\r\n") (str-take HEAD (Ix1 received))))
  (@ lines (str-split (text "\r\n") (str-take (Ix0 end) (Ix1 received))))
  (cond
    (end (parse-body received (Add 4 (Ix0 end)) (str-split 32 (Ix0 lines)) (drop 1 lines)))
    ((Lt (Ix0 received) HEAD) "wait")
    (else (FAULT "431 Request Header Fields Too Large"))))

; Answers: rows [status fields body].

(define plain (text "Content-Type: text/plain; charset=utf-8\r\n"))
(define binary (text "Content-Type: application/octet-stream\r\n"))
; An answer that says only how it went.
(defun (say status fields) [status (strWeld plain fields) (bytes-from-str (strWeld status 10))])
; The bytes of an answer; bare: without the body; last: the connection ends behind it.
(defun (answer-bytes bare last reply)
  (@ [status fields body] reply)
  (bytes-weld
    (bytes-from-str (str-concat ["HTTP/1.1 " status (text "\r\nContent-Length: ")
      (showNat (Ix0 body)) (text "\r\n") (if last (text "Connection: close\r\n") 0) fields
      (text "\r\n")]))
    (if bare bytes-empty body)))

(define not-found (say "404 Not Found" 0))
(defun (key-list table)
  (bytes-from-str (str-concat (map {k -> (strWeld k 10)} (sort-by str-less (table-keys table))))))
(defun (find-value key table)
  (@ hit (table-get key table))
  (cond
    ((not key) ["200 OK" plain (key-list table)])
    (hit       ["200 OK" binary (Ix0 hit)])
    (else      not-found)))

; The answer to a request and the table after it.
(defun (handle method key body table)
  (case method
    ("GET"  [(find-value key table) table])
    ("HEAD" [(find-value key table) table])
    ("PUT"
      (cond
        ((not key)                              [(say "400 Bad Request" 0) table])
        ((planEq [body] (table-get key table))  [(say "200 OK" 0) table])
        (else [(say (if (table-has key table) "200 OK" "201 Created") 0)
               (table-put key body table)])))
    ("DELETE"
      (if (table-has key table)
        [(say "200 OK" 0) (table-delete key table)]
        [not-found table]))
    (else [(say "405 Method Not Allowed" (text "Allow: GET, HEAD, PUT, DELETE\r\n")) table])))

; Connections: `in` was received and is not answered yet, `out` is to be sent from position `sent`
; on; `time` is the second when something happened last; `ends` 1: closes behind `out`, 2: the same
; when the client has taken note, 3: that is being waited for; `more`: `in` may hold another
; request; `told`: the client knows that it may send the body.

(defstruct Connection CONN
  (fd Nat) (in Bytes) (out Bytes) (sent Nat) (time Nat) (ends Nat) (more Nat) (told Nat))
(defun (new-connection now fd) (CONN fd bytes-empty bytes-empty 0 now 0 0 0))
(defun (sending c) (Truth (Ix0 (.out c))))
(defun (reply-with ends out c) (out= out (ends= ends (sent= 0 c))))
(defun (close c) (Seq (try-io tcp-close (.fd c)) 0))

; A connection with what has come in, if it is among those that are ready; 0 if it has ended.
(defun (receive now ready c)
  (@ got (try-io (tcp-receive (.fd c)) 65536))
  (@ data (Ix0 got))
  (cond
    ((not (set-has (.fd c) ready)) c)
    ((not (and (IsApp got) (Ix0 data))) (close c))
    ((Eq 3 (.ends c)) c)
    (else (time= now (more= 1 (in= (bytes-weld (.in c) data) c))))))
; The table and the connection after the first request in `in`, if it is there: [table c].
(defun (advance table c)
  (match (if (and c (.more c)) (parse-request (.in c)) "wait")
    (REQUEST[method key body keep size]
      (let* (([reply next] (handle method key body table))
             (left         (bytes-slice (.in c) size (Ix0 (.in c))))
             (out          (answer-bytes (Eq method "HEAD") (not keep) reply)))
        [next (reply-with (not keep) out (in= left (told= 0 (more= (Truth (Ix0 left)) c))))]))
    (FAULT[status]
      [table (reply-with 2 (answer-bytes 0 1 (say status 0)) (in= bytes-empty (more= 0 c)))])
    ("continue"
      [table (if (.told c) (more= 0 c)
        (reply-with 0 (bytes-from-str (text "HTTP/1.1 100 Continue\r\n\r\n"))
          (told= 1 (more= 0 c))))])
    (else [table (and c (more= 0 c))])))
; A connection whose request could not be kept, or that had none.
(defun (refuse c)
  (if (and c (sending c))
    (reply-with 2 (answer-bytes 0 1 (say "503 Service Unavailable" 0)) (more= 0 c))
    c))

; A connection after as much was sent as goes at once; 0 if it has ended.
(defun (transmit now c)
  (@ done (try-io (tcp-send-some (.fd c) (.out c)) (.sent c)))
  (@ sent (Add (.sent c) (Ix0 done)))
  (cond
    ((not (sending c))              c)
    ((not (IsApp done))             (close c))
    ((Lt sent (Ix0 (.out c)))       (sent= sent (if (Ix0 done) (time= now c) c)))
    ((Eq 0 (.ends c))               (time= now (out= bytes-empty c)))
    ((Eq 1 (.ends c))               (close c))
    (else (do (try-io tcp-finish (.fd c)) (ends= 3 (time= now (out= bytes-empty c)))))))
(defun (not-idle now c) (and c (if (Gt (Sub now (.time c)) IDLE) (close c) c)))

; The loop.

(defun (seconds unused) (Div (monotonic-ns unused) 1000000000))
; The connections that wait to be accepted, one at most.
(defun (newcomers now listener ready)
  (@ fd (and (set-has listener ready) (try-io tcp-accept listener)))
  (if (IsApp fd) [(new-connection now (Ix0 fd))] 0))
; The table that is stored and the connections with their answers, none of which is sent yet.
(defun (keep kv old table answered)
  (@ kept (try-io (save kv) table))
  (cond
    ((RefEq old table) [old answered])
    ((IsApp kept)      [(Ix0 kept) answered])
    (else (do (print-error (fmt "kv: not committed: {s}" (error-text kept)))
              [old (map refuse answered)]))))
; One turn: [connections table requests-answered].
(defun (turn kv listener conns table)
  (@ calm (filter {c -> (not (sending c))} conns))
  (@ busy (filter sending conns))
  (@ open (if (Lt (Sz conns) MANY) [listener] 0))
  (do
    (<- heard (tcp-ready (weld open (map .fd calm)) (map .fd busy) (if (any .more calm) 0 1000)))
    (<- now (seconds 0))
    (<- ready (set-from (Ix0 heard)))
    (<- [next asked] (Force (traverse table {t c -> (advance t (receive now ready c))} calm)))
    (<- [kept answered] (keep kv table next asked))
    (<- all (weld (weld busy answered) (newcomers now listener ready)))
    (<- left (map {c -> (and c (not-idle now (transmit now c)))} all))
    [(filter IsApp (Force left)) kept
     (count {c -> (and c (and (sending c) (not (.told c))))} answered)]))
(defun (finish c)
  (do (try-io (tcp-send-bytes (.fd c)) (bytes-slice (.out c) (.sent c) (Ix0 (.out c)))) (close c)))
; Serves for ever, or `left` requests if that is not 0.
(defun (serve kv listener left conns table)
  (do
    (<- [more next n] (turn kv listener conns table))
    (if (and left (Ge n left)) (each finish more)
      (serve kv listener (Sub left n) more next))))

; Command line.

(define usage "kv [PORT] [--public] [--requests=N]")
; The number in a text, as [number]; 0 if it is none below a limit.
(defun (number-below limit s)
  (@ n (parse-nat s))
  (and n (Lt (Ix0 n) limit) n))

(defun (start kv table address port requests)
  (@ listener (try-io (tcp-listen address) port))
  (if (IsApp listener)
    (do
      (print-line (fmt "listening on http://127.0.0.1:{}/ with {} keys"
        (tcp-port (Ix0 listener)) (table-size table)))
      (serve kv (Ix0 listener) requests 0 table))
    (do (print-error (fmt "kv: port {}: {s}" port (error-text listener))) 1)))
(defun (kv table args)
  (@ options  (args-parse ["requests"] args))
  (@ port     (number-below 65536 (or (Ix0 (args-rest options)) "0")))
  (@ requests (number-below (Bex 62) (args-option-or "0" "requests" options)))
  (@ fault
    (cond
      ((Gt (Sz (args-rest options)) 1) "there is more than one port")
      ((not port)     "the port is a number below 65536")
      ((not requests) "the number of requests is none")
      (else (args-fault ["public" "requests"] options))))
  (if fault
    (do (print-error (fmt "kv: {s} ({s})" fault usage)) 2)
    (start kv table (if (args-flag "public" options) any-address loopback)
      (Ix0 port) (Ix0 requests))))

(define main (kv table-empty))
