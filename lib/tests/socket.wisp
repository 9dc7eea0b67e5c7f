(require "std")
; Tests of the module socket: one process talks to itself over the loopback interface.

(define listener (tcp-listen loopback 0))
(define port (tcp-port listener))
(define client (tcp-connect loopback port))
(define server (tcp-accept listener))

(deftest talk
  (= [127 0 0 1] loopback) (= [0 0 0 0] any-address) (Gt port 0) (= port (tcp-port server))
  (= 0 (tcp-wait server 0)) (= 0 (tcp-send client "hello")) (= 1 (tcp-wait server 5000))
  (= [5 "hello"] (tcp-receive server 100)) (= 0 (tcp-send-bytes server (bytes-from-row [0 1 0])))
  (= [3 256] (tcp-receive client 100)) (= 0 (tcp-send client "abc"))
  (= [2 "ab"] (tcp-receive server 2))
  (= 0 (tcp-finish client)) (= "c" (read-all server)) (= [0 0] (tcp-receive server 10))
  (= 0 (tcp-send server "late")) (= 0 (tcp-close server)) (= "late" (read-all client))
  (= 0 (tcp-close client)))

; Waiting for many; what a connection does not take at once is left.
(define large [64000000 (Dec (Bex 512000000))])
(defun (fill fd from)
  (let ((n (tcp-send-some fd large from))) (if n (fill fd (Add from n)) from)))
(deftest many
  (let* ((a     (tcp-connect loopback port))
         (first (Seq a (tcp-ready [listener] 0 5000)))
         (b     (Seq first (tcp-accept listener)))
         (idle  (Seq b (tcp-ready [listener a b] [a b] 5000)))
         (sent  (Seq idle (fill a 0)))
         (come  (Seq sent (tcp-ready [listener b] 0 5000)))
         (got   (Seq come (tcp-receive b 10)))
         (done  (Seq got (tcp-close a))))
    (and (planEq [[listener] 0] first) (planEq [0 [a b]] idle) (Gt sent 0) (Lt sent 64000000)
      (planEq [[b] 0] come) (planEq [10 (Dec (Bex 80))] got) (Eq 0 done)
      (planEq [[b] [b]] (tcp-ready [listener b] [b] 5000)) (Eq 0 (tcp-close b)))))

(deftest failures
  (= 98 (try-io (tcp-listen loopback) port)) (= 0 (tcp-wait listener 1))
  (= 0 (tcp-close listener))
  (= 111 (try-io (tcp-connect loopback) port)) (= 9 (try-io tcp-accept listener))
  (= 9 (try-io tcp-port listener))
  (= 9 (try-io (tcp-send-some 999 [1 97]) 0)) (= [0 0] (tcp-ready 0 0 0))
  (= 9 (try-io (tcp-receive listener) 1)) (= 9 (try-io (tcp-send listener) "x")))
