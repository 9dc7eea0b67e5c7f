; The operations of PLAN by name, and doc strings.
;
; Invariants:
; - a name that is an operation of the runtime is bound to the pinned law of that name and arity
;   around <15>, so that the runtime recognises it and a saved program still says what it does;
; - an operation's law has no name for itself;
; - %law, %def and %macro are the built-in macros for ever, whatever becomes of law, def and macro.

(macro %law law)
(macro %def def)
(macro %macro macro)

; Effects and exceptions: pinned numbers.

(def Law     (Pin 1))
(def TraceOp (Pin 4))
(def syscall (Pin 5))
(def TryOp   (Pin 8))
(def WriteOp (Pin 9))
(def ReadOp  (Pin 10))
(def XPtrOp  (Pin 13))
(def XBufOp  (Pin 14))
(def PrimOp  (Pin 15))
(def SendOp  (Pin 16))
(def Error   (Pin 17))
(def %throw  (Pin "Throw"))
(def %syntax (Pin "Syntax"))

; What the table below is read with.

(def Seq   (Pin (law ("Seq" a b) (PrimOp (5 a b)))))
(def If    (Pin (law ("If" c t e) (PrimOp (26 c t e)))))
(def And   (Pin (law ("And" a b) (PrimOp (31 a b)))))
(def Add   (Pin (law ("Add" a b) (PrimOp ("Add" a b)))))
(def Sub   (Pin (law ("Sub" a b) (PrimOp (36 a b)))))
(def Le    (Pin (law ("Le" a b) (PrimOp (42 a b)))))
(def Lt    (Pin (law ("Lt" a b) (PrimOp (44 a b)))))
(def Compare (Pin (law ("Compare" a b) (PrimOp (46 a b)))))
(def Sz    (Pin (law ("Sz" x) (PrimOp (68 x)))))
(def Case3 (Pin (law ("Case3" i a b f) (PrimOp (73 i a b f)))))
(def Ix    (Pin (law ("Ix" i r) (PrimOp (81 i r)))))
(def Ix0   (Pin (law ("Ix0" r) (PrimOp (82 r)))))
(def Ix1   (Pin (law ("Ix1" r) (PrimOp (83 r)))))
(def Ix2   (Pin (law ("Ix2" r) (PrimOp (84 r)))))
(def Ix3   (Pin (law ("Ix3" r) (PrimOp (85 r)))))
(def Ix4   (Pin (law ("Ix4" r) (PrimOp (86 r)))))

; An environment is a search tree of rows (key value flag left right). The node of a key; 0 if
; there is none.
(def %find (Pin (law (%find key t)
  (And t
    (Case3 (Compare key (Ix0 t))
      (%find key (Ix3 t))
      t
      (%find key (Ix4 t)))))))

; The tree with a key bound.
(def %put (Pin (law (%put key value flag t)
  (If t
    (Case3 (Compare key (Ix0 t))
      (0 (Ix0 t) (Ix1 t) (Ix2 t) (%put key value flag (Ix3 t)) (Ix4 t))
      (0 key value flag (Ix3 t) (Ix4 t))
      (0 (Ix0 t) (Ix1 t) (Ix2 t) (Ix3 t) (%put key value flag (Ix4 t))))
    (0 key value flag)))))

; The environment with a doc string, given as a literal; a name without one loses an older one.
(def %document (Pin (law (%document name doc env)
  (@ docs (Ix1 (%find "__DOC" env)))
  (@ text (Ix0 doc))
  (If (If text 1 (%find name docs))
    (%put "__DOC" (%put name text 0 docs) 0 env)
    env))))

(macro document (Pin (law (document env form)
  (0 (%document (Ix1 form) (Ix2 form) env) (1 0)))))

; The row n (params of form from i on), the operation's number or name in front.
(def %op-call (Pin (law (%op-call row i end form)
  (If (Lt i end) (%op-call (row (Ix i form)) (PrimOp (2 i)) end form) row))))

; (%op number name param ... doc): the pinned law around <15>, and its doc string.
(macro %op (Pin (law (%op env form)
  (@ last (Sub (Sz form) 1))
  (@ name (Ix2 form))
  (@ call (%op-call (0 (Ix1 form)) 3 last form))
  (@ sig  (%op-call (0 (1 name)) 3 last form))
  (0 (%document name (Ix last form) env)
     (0 "%def" name (0 (1 Pin) (0 "%law" sig (0 (1 PrimOp) call))))))))

; Pins, laws, order of evaluation.

(%op 0 MkPin x              "The pin of x, which is evaluated completely.")
(%op 1 MkLaw name arity body "The law of this name, arity and body; arity 0 is an error.")
(%op 4 Force x              "x, evaluated completely.")
(%op 5 Seq a b              "b, after a has been evaluated.")
(%op 6 Sap f x              "f applied to x, x evaluated first.")
(%op 7 Sap2 f a b           "f applied to a and b, each evaluated first.")
(%op 8 Sap3 f a b c         "f applied to three evaluated arguments.")
(%op 9 Sap4 f a b c d       "f applied to four evaluated arguments.")
(%op 10 Sap5 f a b c d e    "f applied to five evaluated arguments.")
(%op 11 Sap6 f a b c d e g  "f applied to six evaluated arguments.")
(%op 12 Sap7 f a b c d e g h "f applied to seven evaluated arguments.")

; Kinds of values.

(%op 3 Eat p l a z m o "A function applied to the parts of o, or z, by the kind of o.
(p item) for a pin, (l name arity body) for a law, (a init last) for an application, z for 0,
(m n) for n + 1.")
(%op 13 IsPin x  "1 if x is a pin, otherwise 0.")
(%op 14 IsLaw x  "1 if x is a law, otherwise 0; a pinned law is a pin.")
(%op 15 IsApp x  "1 if x is an application, such as a row, otherwise 0.")
(%op 16 IsNat x  "1 if x is a natural, otherwise 0.")
(%op 17 Truth x  "0 if x is 0, otherwise 1.")
(%op 18 Nil x    "1 if x is 0, otherwise 0.
(Nil 0)  => 1")
(%op 19 Type x   "0 for a natural, 1 for a pin, 2 for a law, 3 for an application.")
(%op 20 Unpin x  "What the pin x holds; 0 if x is no pin.")
(%op 21 Name x   "The name of the law x; 0 if x is no law.")
(%op 22 Arity x  "The arity of the law x; 0 if x is no law.")
(%op 23 Body x   "The body of the law x; 0 if x is no law.")
(%op 24 Init x   "The application x without its last argument; 0 if x is none.")
(%op 25 Last x   "The last argument of the application x; 0 if x is none.")
(%op 107 RefEq a b "1 if a and b are the same object, otherwise 0, which says nothing.")

; Choice. Only the branch that is chosen is evaluated.

(%op 26 If c t e  "e if c is 0, otherwise t.
(If 2 10 20)  => 10")
(%op 27 Ifz c t e "t if c is 0, otherwise e.")
(%op 31 And a b   "0 if a is 0, otherwise b.")
(%op 32 Or a b    "b if a is 0, otherwise a.")
(%op 33 Nand a b  "0 if both are not 0, otherwise 1.")
(%op 34 Nor a b   "1 if both are 0, otherwise 0.")
(%op 69 Case i r f "Element i of the row r; f if there is none.")
(%op 73 Case3 i a b f "a for 0, b for 1, otherwise f.")
(%op 74 Case4 i a b c f "a, b, c for 0 to 2, otherwise f.")
(%op 75 Case5 i a b c d f "a to d for 0 to 3, otherwise f.")
(%op 76 Case6 i a b c d e f "a to e for 0 to 4, otherwise f.")
(%op 77 Case7 i a b c d e g f "a to g for 0 to 5, otherwise f.")
(%op 93 Switch ks k bs f "The element of bs where k is in the row ks; f if it is not.")

; Naturals. What is no natural counts as 0.

(%op 2 Inc x      "x + 1.")
(%op 28 Nat x     "x if it is a natural, otherwise 0.")
(%op 29 Dec x     "x - 1; 0 for 0.")
(%op "Add" Add a b "a + b.")
(%op 36 Sub a b   "a - b; 0 if b is larger.
(Sub 3 5)  => 0")
(%op 37 Mul a b   "The product of a and b.")
(%op 38 Pow b p   "b to the power p.
(Pow 2 10)  => 1024")
(%op 39 Bex x     "2 to the power x.")
(%op 47 Div a b   "a divided by b, rounded down; 0 if b is 0.")
(%op 48 Mod a b   "The remainder of a divided by b; a if b is 0.
(Mod 7 3)  => 1")
(%op 49 DivMod a b "The row of quotient and remainder.")
(%op 40 Eq a b    "1 if the naturals a and b are equal, otherwise 0.")
(%op 41 Ne a b    "0 if the naturals a and b are equal, otherwise 1.")
(%op 42 Le a b    "1 if a is at most b, otherwise 0.")
(%op 43 Ge a b    "1 if a is at least b, otherwise 0.")
(%op 44 Lt a b    "1 if a is less than b, otherwise 0.")
(%op 45 Gt a b    "1 if a is greater than b, otherwise 0.")
(%op 46 Compare a b "0 if a is less than b, 1 if they are equal, 2 if a is greater; naturals.")
(%op 46 Cmp a b   "0 if a is less than b, 1 if they are equal, 2 if a is greater; any values.
Naturals come before pins, pins before laws, laws before applications.
(Cmp [1] 5)  => 2")

; Bits. Bit 0 is the lowest.

(%op 50 Lsh x n   "x shifted left by n bits.")
(%op 51 Rsh x n   "x shifted right by n bits.")
(%op 52 Trunc n x "The lowest n bits of x.")
(%op 53 Trunc1 x  "The lowest bit of x.")
(%op 54 Trunc8 x  "The lowest 8 bits of x.")
(%op 55 Trunc16 x "The lowest 16 bits of x.")
(%op 56 Trunc32 x "The lowest 32 bits of x.")
(%op 57 Trunc64 x "The lowest 64 bits of x.")
(%op 58 Trunc128 x "The lowest 128 bits of x.")
(%op 59 Trunc256 x "The lowest 256 bits of x.")
(%op 60 Cut o n x  "n bits of x from bit o on.")
(%op 61 Wipe o n x "x with n bits from bit o on cleared.")
(%op 62 Edit o n v x "x with n bits from bit o on taken from v.")
(%op 63 Bits x    "The number of bits of x; 0 for 0.")
(%op 64 Test i x  "Bit i of x.")
(%op 65 Set i x   "x with bit i set.")
(%op 66 Clear i x "x with bit i cleared.")

; Bytes. Byte 0 is the lowest, the first of a string.

(%op 94 Bytes x   "The number of bytes of x; 0 for 0.
(Bytes 65536)  => 3")
(%op 95 Load o n x "n bytes of x from byte o on.")
(%op 96 Erase o n x "x with n bytes from byte o on cleared.")
(%op 97 Store o n v x "x with n bytes from byte o on taken from v.")
(%op 98 Splice i o n s b "b with n bytes from byte o on taken from s from byte i on.")
(%op 99 Load8 o x "Byte o of x; 0 beyond its end.")
(%op 100 Load16 o x "2 bytes of x from byte o on.")
(%op 101 Load32 o x "4 bytes of x from byte o on.")
(%op 102 Load64 o x "8 bytes of x from byte o on.")
(%op 103 Store8 o v x "x with byte o replaced by the lowest of v.")
(%op 104 Store16 o v x "x with 2 bytes from byte o on taken from v.")
(%op 105 Store32 o v x "x with 4 bytes from byte o on taken from v.")
(%op 106 Store64 o v x "x with 8 bytes from byte o on taken from v.")
(%op 109 Snore i o n s b "b with n bytes from byte o on taken from s from byte i on.
The last byte of b stays what it is; a buffer is changed in place.")

; Applications and rows.

(%op 67 Hd x      "The head of the application x; x itself if it is none.")
(%op 68 Sz x      "The number of arguments of the application x; 0 if it is none.")
(%op 78 Coup h r  "h applied to all elements of r.")
(%op 79 Up i v r  "r with element i replaced by v.")
(%op 80 UpUniq i v r "r with element i replaced by v; r itself is changed.")
(%op 81 Ix i r    "Element i of r, counted from 0; 0 if there is none.")
(%op 82 Ix0 r     "Element 0 of r; 0 if there is none.")
(%op 83 Ix1 r     "Element 1 of r; 0 if there is none.")
(%op 84 Ix2 r     "Element 2 of r; 0 if there is none.")
(%op 85 Ix3 r     "Element 3 of r; 0 if there is none.")
(%op 86 Ix4 r     "Element 4 of r; 0 if there is none.")
(%op 87 Ix5 r     "Element 5 of r; 0 if there is none.")
(%op 88 Ix6 r     "Element 6 of r; 0 if there is none.")
(%op 89 Ix7 r     "Element 7 of r; 0 if there is none.")
(%op 90 Rep h v n "h applied to n times v.")
(%op 91 Row h n l "h applied to the first n elements of the list l, 0 for missing ones.")
(%op 92 Copy n i o s d "d with n elements from o on taken from s from element i on.")
(%op 108 CopyUniq n i o s d "As Copy, but d itself is changed.")
(%op 30 Fresh x   "An application equal to x that nothing else refers to.")

; Order of evaluation, for more than two.

(def Seq2 (Pin (law (Seq2 a b c) (Seq a (Seq b c)))))
(def Seq3 (Pin (law (Seq3 a b c d) (Seq a (Seq b (Seq c d))))))
(def Seq4 (Pin (law (Seq4 a b c d e) (Seq a (Seq b (Seq c (Seq d e)))))))
(def Seq5 (Pin (law (Seq5 a b c d e f) (Seq a (Seq b (Seq c (Seq d (Seq e f))))))))
(def DeepSeq (Pin (law (DeepSeq x y) (Seq (Force x) y))))
(document Seq2 "c, after a and b have been evaluated.")
(document Seq3 "d, after a, b and c have been evaluated.")
(document Seq4 "e, after a to d have been evaluated.")
(document Seq5 "f, after a to e have been evaluated.")
(document DeepSeq "y, after x has been evaluated completely.")

; Effects with their operands one by one.

(def xtrace (Pin (law (xtrace note x) (TraceOp (0 note x)))))
(def xtry   (Pin (law (xtry f x) (TryOp (0 f x)))))
(def xwrite (Pin (law (xwrite fd nat count offset) (WriteOp (0 fd nat count offset)))))
(def xread  (Pin (law (xread fd buffer count offset) (ReadOp (0 fd buffer count offset)))))

(document xtrace "x, after note has been printed on standard error.")
(document xtry "(f x) with its exceptions caught: [value], or the code applied to what was thrown.
The value is evaluated completely.
(xtry Inc 4)  => [5]")
(document xwrite "Writes count bytes of nat from offset on to descriptor fd: the number written.")
(document xread "Reads up to count bytes from descriptor fd into buffer at offset.
The result is the number of bytes read applied to the new buffer, or the number of the error.")

(document Law     "The operation that makes a law: (Law name arity body).")
(document TraceOp "The effect of printing: (TraceOp (0 note x)) is x.")
(document syscall "A system call of Linux: (syscall (number a b c)) is its result.
A failed one gives 2^64 - errno.")
(document TryOp   "The effect of catching exceptions: (TryOp (0 f x)); see xtry.")
(document WriteOp "The effect of writing: (WriteOp (0 fd nat count offset)); see xwrite.")
(document ReadOp  "The effect of reading: (ReadOp (0 fd buffer count offset)); see xread.")
(document XPtrOp  "The address of a pin; 0 for what can move.")
(document XBufOp  "(XBufOp n) is a new buffer of n bytes: a natural that effects change in place.")
(document PrimOp  "The numbered operations: (PrimOp (35 2 3)) adds.")
(document SendOp  "The effect of sending: (SendOp (0 fd nat count offset flags)).")
(document Error   "Throws its argument with code 17.")
(document document "(document name text): text becomes the doc string of name.
The first line says what it is. A line with two blanks and => in it is an example: an expression
and its value.")
