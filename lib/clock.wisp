(require "file")
; Time: clocks, waiting, and dates of the calendar.
;
; Invariants:
; - instants are nanoseconds or seconds since 1970-01-01 00:00 UTC, leap seconds not counted;
; - dates are Gregorian and in UTC.

(defun (%clock id)
  (@ buf (XBufOp 16))
  (Seq buf
    (let ((r (syscall (228 id (XPtrOp buf)))))
      (Seq r (Add (Mul 1000000000 (Load 0 8 buf)) (Load 8 8 buf))))))
(defun (now-ns unused)
  "Nanoseconds since 1970; the argument is ignored: each call looks at the clock.
(Gt (now-ns 0) 1600000000000000000)  => 1" (%clock 0))
(defun (now unused) "Seconds since 1970; the argument is ignored: each call looks at the clock.
(Gt (now 0) 1600000000)  => 1" (Div (now-ns unused) 1000000000))
(defun (monotonic-ns unused)
  "Nanoseconds of a clock that never goes back, for measuring durations.
(Truth (monotonic-ns 0))  => 1" (%clock 1))
(defun (sleep-ms ms) "Waits that many milliseconds; gives 0.
(sleep-ms 1)  => 0"
  (@ buf (XBufOp 16))
  (@ ns  (Mul 1000000 (Mod ms 1000)))
  (Seq buf
    (Seq (%poke [(XPtrOp buf) (Add (Div ms 1000) (Lsh ns 64)) 0 16])
      (%held (And (syscall (35 (XPtrOp buf) 0)) 0) buf))))

; The civil date of a number of days: years begin in March, so that leap days come last
; (Hinnant, chrono-compatible low-level date algorithms, 2013).
(defun (date-of-days days) "[year month day] of the day that many days after 1970-01-01.
(date-of-days 11016)  => [2000 2 29]"
  (@ z    (Add days 719468))
  (@ era  (Div z 146097))
  (@ doe  (Mod z 146097))
  (@ fix  (Sub (Add (Sub doe (Div doe 1460)) (Div doe 36524)) (Div doe 146096)))
  (@ yoe  (Div fix 365))
  (@ doy  (Sub (Add doe (Div yoe 100)) (Add (Mul 365 yoe) (Div yoe 4))))
  (@ mp   (Div (Add 2 (Mul 5 doy)) 153))
  (@ day  (Inc (Sub doy (Div (Add 2 (Mul 153 mp)) 5))))
  (@ mon  (If (Lt mp 10) (Add mp 3) (Sub mp 9)))
  [(Add (Add yoe (Mul 400 era)) (Le mon 2)) mon day])
(defun (days-of-date year month day) "The number of days from 1970-01-01 to a date from then on.
(days-of-date 2000 2 29)  => 11016"
  (@ y   (Sub year (Le month 2)))
  (@ yoe (Mod y 400))
  (@ doy (Add (Div (Add 2 (Mul 153 (Mod (Add month 9) 12))) 5) (Dec day)))
  (@ doe (Add (Sub (Add (Mul 365 yoe) (Div yoe 4)) (Div yoe 100)) doy))
  (Sub (Add (Mul 146097 (Div y 400)) doe) 719468))
(defun (%two n) (str-pad-left 2 48 (showNat n)))
(defun (show-time seconds) "An instant in seconds as text of ISO 8601, in UTC.
(show-time 951782400)  => '2000-02-29T00:00:00Z'"
  (@ date (date-of-days (Div seconds 86400)))
  (@ s    (Mod seconds 86400))
  (str-concat [(str-pad-left 4 48 (showNat (Ix0 date))) "-" (%two (Ix1 date)) "-"
  (%two (Ix2 date))
    "T" (%two (Div s 3600)) ":" (%two (Mod (Div s 60) 60)) ":" (%two (Mod s 60)) "Z"]))
