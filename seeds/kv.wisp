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
; requests if a number is given. A value is any bytes, up to 1 MiB, sent with its length or in
; chunks; a key is what stands in the request, its %XX not decoded.
;
; One thread serves all connections. In each turn it takes a request from every connection that has
; one, commits the table if they changed it, and sends the answers then. So what was answered is
; durable, and requests that come together share a commit.
;
; Invariants:
; - a connection is read only while it has no answer to send, so what is kept for it is bounded;
; - no client is waited for: sending and receiving take what goes at once, and all that wait to be
;   accepted are, as long as there is room;
; - an answer to a request that was not understood is the last one of its connection.

(define HEAD "Bytes that the head of a request may have." 16384)
(define BODY "Bytes that a value may have." 1048576)
(define MANY "Connections that are served at the same time." 256)
(define LINE "Bytes that the line before a chunk may have." 256)
(define IDLE "Seconds after which a connection on which nothing happens is closed." 30)

; What a connection may begin with. FAULT: something to be refused with this status. REQUEST:
; method, key, body, 1 if the connection stays, bytes it takes. CHUNKED: the same with a body in
; chunks, of which the bytes taken are the head, and 1 if the client wants to hear that it may send
; them. "continue": a request whose client wants to hear that. "wait": nothing yet.

(deftype Parsed (FAULT Str) (REQUEST Str Str Bytes Nat Nat) (CHUNKED Str Str Nat Nat Nat))
(define line-end (text "\r\n"))
(define head-end (text "\r\n\r\n"))

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
  (@ coding (header "transfer-encoding" lines))
  (cond
    ((or (Ne 3 (Sz words)) (Ne 47 (Load8 0 target)) (not (str-starts-with "HTTP/1." version))
         (and coding (header "content-length" lines)))
      (FAULT "400 Bad Request"))
    ((planEq ["chunked"] (map str-lower coding))
      (CHUNKED method (str-drop 1 target) (stays version lines) start asked))
    (coding                             (FAULT "501 Not Implemented"))
    ((not (body-length lines))          (FAULT "400 Bad Request"))
    ((Gt (Ix0 n) BODY)                  (FAULT "413 Content Too Large"))
    ((Ge (Ix0 received) end)
      (REQUEST method (str-drop 1 target) (bytes-slice received start end)
        (stays version lines) end))
    (else (if asked "continue" "wait"))))
(defun (parse-request received)
  (@ end   (str-index-of head-end (str-take HEAD (Ix1 received))))
  (@ lines (str-split line-end (str-take (Ix0 end) (Ix1 received))))
  (cond
    (end (parse-body received (Add 4 (Ix0 end)) (str-split 32 (Ix0 lines)) (drop 1 lines)))
    ((Lt (Ix0 received) HEAD) "wait")
    (else (FAULT "431 Request Header Fields Too Large"))))

; Bodies in chunks, as they come in: `blocks` is the list of the chunks met, last one first, `size`
; their bytes. WHOLE: what stood before `at` was the body. MORE: what stood there are these chunks.

(deftype Chunks (BROKEN Str) (WHOLE Nat List) (MORE Nat List Nat))

; What begins at `at`, behind these chunks.
(defun (read-chunks received at blocks size)
  (@ data  (Ix1 received))
  (@ end   (str-index-of line-end (str-slice data at (Add at LINE))))
  (@ n     (parse-hex (str-trim (Ix0 (str-split 59 (str-slice data at (Add at (Ix0 end))))))))
  (@ start (Add at (Add 2 (Ix0 end))))
  (@ stop  (Add start (Ix0 n)))
  ; Of the last chunk and the fields behind it, which are not used.
  (@ close (str-index-of head-end (str-slice data (Sub start 2) (Add start HEAD))))
  (cond
    ((and (not end) (Lt (Sub (Ix0 received) at) LINE)) (MORE at blocks size))
    ((not (and end n))              (BROKEN "400 Bad Request"))
    ((Gt (Add size (Ix0 n)) BODY)   (BROKEN "413 Content Too Large"))
    ((Ix0 n)
      (cond
        ((Lt (Ix0 received) (Add stop 2)) (MORE at blocks size))
        ((Ne line-end (Load stop 2 data)) (BROKEN "400 Bad Request"))
        (else (read-chunks received (Add stop 2) [(bytes-slice received start stop) blocks]
                (Add size (Ix0 n))))))
    (close (WHOLE (Add start (Add 2 (Ix0 close))) blocks))
    ((Lt (Sub (Ix0 received) start) HEAD) (MORE at blocks size))
    (else (BROKEN "431 Request Header Fields Too Large"))))

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
; request; `told`: the client knows that it may send the body; `upload`: of a request with a body in
; chunks [method key keep blocks size], otherwise 0.

(defstruct Connection CONN
  (fd Nat) (in Bytes) (out Bytes) (sent Nat) (time Nat) (ends Nat) (more Nat) (told Nat)
  (upload Any))
(defun (new-connection now fd) (CONN fd bytes-empty bytes-empty 0 now 0 0 0 0))
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
; A connection without the first n bytes of `in`.
(defun (cut n c)
  (@ left (bytes-slice (.in c) n (Ix0 (.in c))))
  (in= left (more= (Truth (Ix0 left)) c)))
(defun (refuse-with status c)
  (reply-with 2 (answer-bytes 0 1 (say status 0)) (upload= 0 (in= bytes-empty (more= 0 c)))))
(defun (go-on c)
  (reply-with 0 (bytes-from-str (text "HTTP/1.1 100 Continue\r\n\r\n")) (told= 1 (more= 0 c))))
; The table and the connection after a request that took n bytes.
(defun (answer-request method key body keep n table c)
  (@ [reply next] (handle method key body table))
  (@ out          (answer-bytes (Eq method "HEAD") (not keep) reply))
  [next (reply-with (not keep) out (told= 0 (cut n (upload= 0 c))))])
; The same for a body in chunks, if it is there wholly.
(defun (advance-chunks table c)
  (@ [method key keep blocks size] (.upload c))
  (match (read-chunks (.in c) 0 blocks size)
    (WHOLE[at all]
      (answer-request method key (bytes-concat (array (lrev all))) keep at table c))
    (MORE[at some n] [table (upload= [method key keep some n] (more= 0 (cut at c)))])
    (BROKEN[status] [table (refuse-with status c)])
    (else [table c])))
; The table and the connection after the first request in `in`, if it is there: [table c].
(defun (advance table c)
  (match (if (and c (and (.more c) (not (.upload c)))) (parse-request (.in c)) "wait")
    (REQUEST[method key body keep size] (answer-request method key body keep size table c))
    (CHUNKED[method key keep start asked]
      (let ((begun (upload= [method key keep 0 0] (cut start c))))
        (cond
          ((.more begun) (advance-chunks table begun))
          (asked         [table (go-on begun)])
          (else          [table begun]))))
    (FAULT[status] [table (refuse-with status c)])
    ("continue" [table (if (.told c) (more= 0 c) (go-on c))])
    (else
      (if (and c (and (.more c) (.upload c))) (advance-chunks table c)
        [table (and c (more= 0 c))]))))
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
; The connections that wait to be accepted, `room` at most.
(defun (newcomers now listener room)
  (@ fd (and room (and (tcp-wait listener 0) (try-io tcp-accept listener))))
  (if (IsApp fd) [(new-connection now (Ix0 fd)) (newcomers now listener (Dec room))] 0))
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
    (<- room (and (set-has listener ready) (Sub MANY (Sz conns))))
    (<- new (Force (array (newcomers now listener room))))
    ; They have something to say as a rule, and others would wait for it.
    (<- first (set-from (Ix0 (tcp-ready (map .fd new) 0 0))))
    (<- met (weld (map (receive now ready) calm) (map (receive now first) new)))
    (<- [next asked] (Force (traverse table advance met)))
    (<- [kept answered] (keep kv table next asked))
    (<- all (weld busy answered))
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
