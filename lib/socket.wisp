(require "file")
; Connections over TCP and IPv4, by system calls of Linux.
;
; Invariants:
; - an address is a row [a b c d] of four numbers, a connection or listener a file descriptor;
; - a failure is an exception as of io-error; try-io catches it;
; - sending to a connection that the other side has closed fails with error 32 and sends no signal.

; The structure sockaddr_in as a natural: family 2, port and address most significant byte first.
(defun (%socket-address address port)
  (Add 2 (Add (Lsh (Ix1 (bytes-be 2 port)) 16) (Lsh (str-from-bytes address) 32))))
(defun (%address-text address port)
  (strWeld (str-join "." (map showNat address)) (strWeld ":" (showNat port))))
; A buffer that holds a number of four bytes.
(defun (%c-word n)
  (@ buf (XBufOp 8))
  (Seq buf (Seq (%poke [(XPtrOp buf) n 0 4]) buf)))
; A system call whose arguments are a descriptor, the address of a structure and its size.
(defun (%address-call nr fd structure)
  (@ buf (XBufOp 16))
  (Seq buf (Seq (%poke [(XPtrOp buf) structure 0 16])
    (%held (syscall (nr fd (XPtrOp buf) 16)) buf))))
(defun (%new-socket unused) (sys-check "socket" "TCP" (syscall (41 2 524289 (And unused 0)))))
; The result of f on a new socket, which is closed again if f fails.
(defun (%socket-with f)
  (@ fd (%new-socket 1))
  (@ r  (xtry f fd))
  (Seq fd (Seq r
    (If (Hd r) (Seq (close-fd fd) ((Pin (Hd r)) (Ix0 r))) (Ix0 r)))))

(define loopback "The address of this machine for itself, [127 0 0 1]." [127 0 0 1])
(define any-address "The address that stands for all of this machine's, [0 0 0 0]." [0 0 0 0])
(defun (tcp-listen address port)
  "Listens on an address and port, 0 for a free one; gives the listener.
(try-io (tcp-listen [1 2 3 4]) 80)  => 99"
  (@ what (%address-text address port))
  (%socket-with {fd ->
    (let ((reuse (%c-word 1)))
      (Seq reuse
      (Seq (%held (syscall (54 fd 1 2 (XPtrOp reuse) 4)) reuse)
      (Seq (sys-check "bind" what (%address-call 49 fd (%socket-address address port)))
      (Seq (sys-check "listen" what (syscall (50 fd 4096)))
        fd)))))}))
(defun (tcp-port fd) "The port of a listener or connection on this side.
(try-io tcp-port 999)  => 9"
  (@ buf  (XBufOp 16))
  (@ size (%c-word 16))
  (Seq buf (Seq size
    (Seq (sys-check "getsockname" "socket"
           (%held (syscall (51 fd (XPtrOp buf) (XPtrOp size))) size))
      (Add (Lsh (Load8 2 buf) 8) (Load8 3 buf))))))
(defun (tcp-accept listener) "Waits for the next connection to a listener and gives it.
(try-io tcp-accept 999)  => 9"
  (@ r (syscall (288 listener 0 0 524288)))
  (If (Eq r 18446744073709551612) (tcp-accept listener) (sys-check "accept" "connection" r)))
(defun (tcp-connect address port) "Connects to an address and port; gives the connection.
(try-io (tcp-connect loopback) 1)  => 111"
  (%socket-with {fd ->
    (Seq (sys-check "connect" (%address-text address port)
           (%address-call 42 fd (%socket-address address port)))
      fd)}))
(defun (%send-rest fd s n from)
  (And n
    (let ((done (sys-check "send" "connection" (SendOp [fd s n from 16384]))))
      (Seq done (%send-rest fd s (Sub n done) (Add from done))))))
(defun (tcp-send fd s) "Sends a string wholly; gives 0.
(try-io (tcp-send 999) 'abc')  => 9" (%send-rest fd s (Bytes s) 0))
(defun (tcp-send-bytes fd b) "Sends bytes wholly; gives 0.
(try-io (tcp-send-bytes 999) [1 'a'])  => 9" (%send-rest fd (Ix1 b) (Ix0 b) 0))
(defun (tcp-receive fd n)
  "At least one byte and at most n bytes from a connection, as bytes; none at its end.
(try-io (tcp-receive 999) 10)  => 9" (read-block fd n))
(defun (tcp-finish fd)
  "Tells the other side that nothing more is sent; gives 0. Receiving goes on.
(try-io tcp-finish 999)  => 9" (sys-check "shutdown" "connection" (syscall (48 fd 1))))
(define tcp-close "Closes a connection or listener; gives 0.
(try-io tcp-close 999)  => 9" close-fd)
(defun (tcp-wait fd ms)
  "Waits at most ms milliseconds for something to receive or accept.
1 when there is something (the end of the connection is, too), 0 when there was nothing.
(tcp-wait 999 0)  => 1"
  (@ buf (XBufOp 8))
  (Seq buf (Seq (%poke [(XPtrOp buf) (Add fd (Lsh 1 32)) 0 8])
    (%held (sys-check "poll" "connection" (syscall (7 (XPtrOp buf) 1 ms))) buf))))

;; Many connections at once

; The structures pollfd of descriptors with the events they wait for, behind those in b.
(defun (%poll-entries events fds b)
  (foldl {acc fd -> (bytes-weld acc (bytes-of 8 (Add fd (Lsh events 32))))} b fds))
; Of descriptors those about which anything was reported; the first has entry i.
(defun (%poll-ready buf i fds)
  (filter {e -> (Load (Add 6 (Lsh (Ix0 e) 3)) 2 buf)} (mapi {k fd -> [(Add i k) fd]} fds)))
(defun (tcp-ready receivers senders ms)
  "Waits at most ms milliseconds for any of many connections and listeners.
The result is [those of the row receivers with something to receive or accept, those of the row
senders that take more]; a connection that has failed or ended is among them too.
(tcp-ready 0 0 0)  => [0 0]"
  (@ n       (Sz receivers))
  (@ entries (%poll-entries 4 senders (%poll-entries 1 receivers bytes-empty)))
  (@ buf     (XBufOp (Ix0 entries)))
  (Seq entries (Seq buf (Seq (%poke [(XPtrOp buf) (Ix1 entries) 0 (Ix0 entries)])
    (let ((r (%held (syscall (7 (XPtrOp buf) (Add n (Sz senders)) ms)) buf)))
      (If (Eq r 18446744073709551612) [0 0]
        (Seq (sys-check "poll" "connections" r)
          (Force [(map Ix1 (%poll-ready buf 0 receivers))
                  (map Ix1 (%poll-ready buf n senders))]))))))))
(defun (tcp-send-some fd b from)
  "Sends bytes from position from on as far as they are taken at once; gives how many.
(try-io (tcp-send-some 999 [1 'a']) 0)  => 9"
  (@ r (SendOp [fd (Ix1 b) (Sub (Ix0 b) from) from 16448]))
  (If (Eq r 18446744073709551605) 0 (sys-check "send" "connection" r)))
