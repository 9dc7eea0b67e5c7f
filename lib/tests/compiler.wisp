(require "std")
; What the compiler makes of functions: how many laws, which arguments, which bindings.

(defun (law-of f) (Unpin f))
(defun (body f) (if (IsPin f) (Body (Unpin f)) (Body f)))

(defun (plain a b) (Add a b))
(defun (shadowing a) (let ((a (Inc a))) (let ((a (Inc a))) a)))
(defun (unused a) (let ((b (Add a a)) (c 7) (d a)) (Add c d)))
(defun (capture a b) {x -> (Add x b)})
(defun (no-capture a) {x -> (Inc x)})
(defun (loops n) (letrec ((go {i -> (if (Eq i n) i (go (Inc i)))})) (go 0)))

(deftest bodies
  (= [[Add 1] 2] (body plain))
  ; one binding for each let
  (= (1 [Inc 1] (1 [Inc 2] 3)) (body shadowing))
  ; what is not used is dropped, another name for a variable or literal is no binding
  (= [[Add 7] 1] (body unused))
  ; only what is used is captured, in front
  (= (Law 0 2 [[Add 2] 1]) (Hd (capture 3 4)))
  (= [4] (Coup 0 (capture 3 4)))
  (= (Law 0 1 [Inc 1]) (no-capture 5))
  ; a local function is a law bound by the one around it, which calls itself directly
  (= 1 (IsLaw (Ix0 (body loops))))
  (= ["go" 2] (let ((go (Ix0 (body loops)))) [(Name go) (Arity go)]))
  (= [[2 1] [0]] (Ix1 (body loops)))
  (= 1000 (loops 1000)))

; A function with many locals, and deep nesting.
(defmacro (nested env form)
  [env ((lambda (build n) (if n ["let" [["x" ["Inc" "x"]]] (build (Dec n))] "x")) 2000)])
(defun (deep x) (nested))
(deftest sizes
  (= 2000 (deep 0)))
