; options:; status: 1
(macro ping (law (ping e x) (0 e (0 "pong"))))
(macro pong (law (pong e x) (0 e (0 "ping"))))
(ping)
