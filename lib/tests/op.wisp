(require "std")
; Every operation under its name.

(deftest kinds
  (= 7 (Unpin (MkPin 7)))
  (= 7 ((MkLaw "k" 1 (0 7)) 9))
  (= 5 ((Law "k" 1 1) 5))
  (= [1 3] (Force [1 (Add 1 2)]))
  (= 2 (Eat 0 0 0 0 Inc 2))
  (= 9 (Eat 0 0 0 9 0 0))
  (= (6 [5] 1) (Eat 0 0 6 0 0 [5 1]))
  (= [1 0 0 1] [(IsPin Add) (IsPin {x -> x}) (IsPin 3) (IsPin (Pin 3))])
  (= [0 1 0] [(IsLaw Add) (IsLaw {x -> x}) (IsLaw 3)])
  (= [0 1 1] [(IsApp 4) (IsApp [4]) (IsApp (Add 1))])
  (= [1 0 0] [(IsNat 4) (IsNat [4]) (IsNat Add)])
  (= [0 1 1] [(Truth 0) (Truth 5) (Truth Add)])
  (= [1 0 0] [(Nil 0) (Nil 5) (Nil Add)])
  (= [0 1 2 3] [(Type 4) (Type Add) (Type {x -> x}) (Type [4])])
  (= [3 0] [(Unpin (Pin 3)) (Unpin 3)])
  (= ["f" 2 1] (let ((f (Law "f" 2 1))) [(Name f) (Arity f) (Body f)]))
  (= [[1] 2] [(Init [1 2]) (Last [1 2])])
  (= 1 (RefEq 5 5)))

(deftest order
  (= 2 (Seq 1 2))
  (= [3 4 5 6] [(Seq2 1 2 3) (Seq3 1 2 3 4) (Seq4 1 2 3 4 5) (Seq5 1 2 3 4 5 6)])
  (= 2 (DeepSeq [1] 2))
  (= [1] (Sap 0 1))
  (= [1 2] (Sap2 0 1 2))
  (= [1 2 3] (Sap3 0 1 2 3))
  (= [1 2 3 4] (Sap4 0 1 2 3 4))
  (= [1 2 3 4 5] (Sap5 0 1 2 3 4 5))
  (= [1 2 3 4 5 6] (Sap6 0 1 2 3 4 5 6))
  (= [1 2 3 4 5 6 7] (Sap7 0 1 2 3 4 5 6 7)))

(deftest choice
  (= [1 2] [(If 5 1 2) (If 0 1 2)])
  (= [2 1] [(Ifz 5 1 2) (Ifz 0 1 2)])
  (= [0 7] [(And 0 7) (And 3 7)])
  (= [7 3] [(Or 0 7) (Or 3 7)])
  (= [1 1 1 0] [(Nand 0 0) (Nand 0 1) (Nand 1 0) (Nand 1 1)])
  (= [1 0 0 0] [(Nor 0 0) (Nor 0 1) (Nor 1 0) (Nor 1 1)])
  (= [6 9] [(Case 1 [5 6] 9) (Case 2 [5 6] 9)])
  (= [1 2 3] [(Case3 0 1 2 3) (Case3 1 1 2 3) (Case3 9 1 2 3)])
  (= [3 4] [(Case4 2 1 2 3 4) (Case4 3 1 2 3 4)])
  (= [4 5] [(Case5 3 1 2 3 4 5) (Case5 4 1 2 3 4 5)])
  (= [5 6] [(Case6 4 1 2 3 4 5 6) (Case6 5 1 2 3 4 5 6)])
  (= [6 7] [(Case7 5 1 2 3 4 5 6 7) (Case7 6 1 2 3 4 5 6 7)])
  (= [20 0] [(Switch [1 2] 2 [10 20] 0) (Switch [1 2] 3 [10 20] 0)]))

(deftest naturals
  (= [5 0 4 0] [(Inc 4) (Nat [1]) (Dec 5) (Dec 0)])
  (= [7 1 0 12] [(Add 3 4) (Sub 4 3) (Sub 3 4) (Mul 3 4)])
  (= [1024 1 256] [(Pow 2 10) (Pow 5 0) (Bex 8)])
  (= [3 1 [3 1]] [(Div 7 2) (Mod 7 2) (DivMod 7 2)])
  (= [0 7] [(Div 7 0) (Mod 7 0)])
  (= [1 0 0 1] [(Eq 3 3) (Eq 3 4) (Ne 3 3) (Ne 3 4)])
  (= [1 1 0] [(Le 3 4) (Le 4 4) (Le 5 4)])
  (= [0 1 1] [(Ge 3 4) (Ge 4 4) (Ge 5 4)])
  (= [1 0 0 1] [(Lt 3 4) (Lt 4 4) (Gt 4 4) (Gt 5 4)])
  (= [0 1 2] [(Compare 3 4) (Compare 4 4) (Compare 5 4)])
  (= [0 1 2] [(Cmp 3 [3]) (Cmp [3] [3]) (Cmp [4] [3])]))

(deftest bits
  (= [40 1] [(Lsh 5 3) (Rsh 13 3)])
  (= [5 1 255] [(Trunc 3 13) (Trunc1 5) (Trunc8 511)])
  (= [1 1 1 1 1]
    [(Trunc16 65537) (Trunc32 4294967297) (Trunc64 (Inc (Bex 64)))
      (Trunc128 (Inc (Bex 128))) (Trunc256 (Inc (Bex 256)))])
  (= [5 8 60] [(Cut 1 3 11) (Wipe 0 3 15) (Edit 2 2 3 48)])
  (= [0 4] [(Bits 0) (Bits 8)])
  (= [1 0 9 1] [(Test 3 8) (Test 2 8) (Set 3 1) (Clear 3 9)]))

(deftest bytes
  (= [0 3] [(Bytes 0) (Bytes "abc")])
  (= ["bc" "a" "b"] [(Load 1 2 "abcd") (Erase 1 1 "ab") (Load8 1 "ab")])
  (= ["axyd" "xbcd"] [(Store 1 2 "xy" "abcd") (Store8 0 "x" "abcd")])
  (= "a23d" (Splice 1 1 2 "123" "abcd"))
  (= ["bc" "bcde" "bcdefghi"]
    [(Load16 1 "abcd") (Load32 1 "abcdefghij") (Load64 1 "abcdefghij")])
  (= ["axyd" "a1234f" "a12345678j"]
    [(Store16 1 "xy" "abcd") (Store32 1 "1234" "abcdef") (Store64 1 "12345678" "abcdefghij")])
  (= "a23d" (Snore 1 1 2 "123" "abcd")))

(deftest rows
  (= [5 3 0 2] [(Hd (5 1)) (Hd 3) (Sz 3) (Sz [1 2])])
  (= [(7 1 2) 7] [(Coup 7 [1 2]) (Coup 7 3)])
  (= [1 9] (Up 1 9 [1 2]))
  (= [1 9] (UpUniq 1 9 (Fresh [1 2])))
  (= [2 0] [(Ix 1 [1 2]) (Ix 2 [1 2])])
  (= [1 2 3 4 5 6 7 8]
    (let ((r [1 2 3 4 5 6 7 8]))
      [(Ix0 r) (Ix1 r) (Ix2 r) (Ix3 r) (Ix4 r) (Ix5 r) (Ix6 r) (Ix7 r)]))
  (= [4 4 4] (Rep 0 4 3))
  (= (3 1 2 0) (Row 3 3 [1 [2 0]]))
  (= [1 8 9] (Copy 2 0 1 [8 9] [1 2 3]))
  (= [1 8 9] (CopyUniq 2 0 1 [8 9] (Fresh [1 2 3]))))

(deftest effects
  (= [2 (Pin 4)] [(Arity (Unpin xtrace)) TraceOp])
  (= [[3] ("Code" 5)] [(xtry Inc 2) (xtry (Pin "Code") 5)])
  (= [3] (TryOp [Inc 2]))
  (= (17 "oops") (xtry Error "oops"))
  (= 1 (Nil (XPtrOp 5)))
  (= 1 (Lt 0 (syscall (39 0))))
  (= 5 (PrimOp (35 2 3)))
  (= 2 (Bytes (XBufOp 1)))
  (= 0 (xwrite 1 "x" 0 0))
  (= 0 (WriteOp [1 "x" 0 0]))
  (= 9 (xread 999 (Bex 64) 1 0))
  (= 9 (ReadOp [999 (Bex 64) 1 0]))
  (= 1 (Lt (Bex 63) (SendOp [0 0 0 0 0]))))

(document Zero "A doc string.
A second line.")
(deftest documents
  (= "A doc string.
A second line." (Ix1 (%find "Zero" __DOC))))
