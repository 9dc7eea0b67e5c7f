(require "lambda")
; Tests: named groups of checks, and values as text for their messages.
;
; Invariants:
; - a test runs where it stands; its first failing check throws Failed with a text and the check's
;   form;
; - values are shown in the format of transcripts.

; Byte strings. a followed by b.
(defun (%glue a b) (Add a (Lsh b (Lsh (Bytes a) 3))))

(defun (%digits n)
  (if (Lt n 10) (Add 48 n) (%glue (%digits (Div n 10)) (Add 48 (Mod n 10)))))

(defun (%hex n)
  (let ((d (Trunc 4 n)))
    (let ((digit (Add d (if (Lt d 10) 48 87))))
      (if (Lt n 16) digit (%glue (%hex (Rsh n 4)) digit)))))

; Whether all bytes of n from i on pass.
(defun (%all-bytes pass i n)
  (or (Le (Bytes n) i) (and (pass (Load8 i n)) (%all-bytes pass (Inc i) n))))

(defun (%within a c b) (and (Le a c) (Le c b)))

(defun (%word-byte c)
  (or (%within 97 c 122) (%within 65 c 90) (%within 48 c 57) (Eq c 95)))

(defun (%text-byte c) (or (%within 32 c 126) (Eq c 10)))

(defun (%show-nat n)
  (let ((text (and (%all-bytes %text-byte 0 n) (Lt 1 (Bytes n)))))
    (cond
      ((and text (%all-bytes %word-byte 0 n)) (%glue "%" n))
      (text (%glue 34 (%glue n 34)))
      ((Lt n 9223372036854775808) (%digits n))
      (else (%glue "0x" (%hex n))))))

(defun (%show-slots show i x out)
  (if (Eq i (Sz x))
    (%glue out "]")
    (%show-slots show (Inc i) x
      (%glue out (%glue (if i " " "[") (show (Ix i x)))))))

(defun (%show-law x)
  (let ((name (Name x)))
    (%glue
      (if (and name (%all-bytes %text-byte 0 name)) (%glue "" name) (%show-nat name))
      (%glue "(" (%glue (%show-nat (Arity x)) ")")))))

; A value as text; of a law name and arity only.
(defun (%show x)
  (Case3 (Type x)
    (%show-nat x)
    (let ((name (Name (Unpin x))))
      (if (and (IsLaw (Unpin x)) name) name (%glue "#" (%show (Unpin x)))))
    (if (IsLaw x)
      (%show-law x)
      (%show-slots %show 0 x (if (and (IsNat (Hd x)) (Nil (Hd x))) 0 (%show (Hd x)))))))

(def %failed (Pin "Failed"))

; No more of a shown value than a message can hold.
(defun (%shortly x)
  (let ((text (%show x)))
    (if (Lt (Bytes text) 200) text (%glue (Load 0 200 text) " ..."))))

(defun (%expect expected actual form)
  (if (planEq expected actual)
    0
    (%failed [(%glue "expected " (%glue (%shortly expected)
                (%glue ", got " (%shortly actual))))
              form])))

(defun (%holds value form)
  (if (and (IsNat value) (Eq 1 value))
    0
    (%failed [(%glue "expected 1, got " (%shortly value)) form])))

(defun (%check form)
  (if (and (Nil (Hd form)) (and (Eq 3 (Sz form)) (Eq "=" (Ix0 form))))
    [(1 %expect) (Ix1 form) (Ix2 form) (1 form)]
    [(1 %holds) form (1 form)]))

(defun (%checks i form)
  (if (Lt i (Sz form))
    [(1 Seq) (%check (Ix i form)) (%checks (Inc i) form)]
    (1 0)))

(defmacro (deftest env form)
  "(deftest name check ...): each check is (= expected actual) or an expression that must be 1."
  (if (and (Lt 2 (Sz form)) (%is-name (Ix1 form)))
    [env (%checks 2 form)]
    (%wrong "deftest needs (deftest name check ...)" form)))
