(require "std")
; Simple definitions, before the compiler replaces defun and {}.

(defun (add3 x) "Adds 3." (@ y 3) (Add x y))
(defun (sum n) (If n (Add n (sum (Dec n))) 0))
(defmacro (twice env form) "A macro." (0 env [(1 Add) (Ix1 form) (Ix1 form)]))

(tests
  (5 (add3 2))
  (55 (sum 10))
  (8 (twice 4))
  ("Adds 3." (Ix1 (%find "add3" __DOC)))
  (3 ((pinlaw (f x) (Inc x)) 2))
  (1 (IsPin (pinlaw (f x) x))))

; BRACED and CURLED
(tests
  ((0 1 2) [1 2])
  (0 [])
  (5 ({a b -> (Add a b)} 2 3))
  (3 ({a . a} 3))
  (4 ({a b a} 4 5))
  (7 ({{Inc} a b -> (Inc (Add a b))} 4 2)))

(tests
  (5 (id 5))
  (1 (const 1 2))
  (6 (compose Inc Inc 4))
  (1 (flip Sub 2 3))
  ([4 4 3 3] [(max 3 4) (max 4 3) (min 3 4) (min 4 3)])
  ([1 0 0 1] [(odd 3) (odd 4) (even 3) (even 4)])
  ([[7] 0] [(SOME 7) NONE]))

(tests
  ([1 [2 0]] (stream [1 2]))
  ([2 [3 0]] (streamed 1 3 [1 2 3 4]))
  ([2 [1 0]] (stream-rev [1 2]))
  ([1 [2 [3 0]]] (lweld [1 0] [2 [3 0]]))
  ([1 2 3] (weld [1 2] [3]))
  ([1] (weld 0 [1]))
  ([1 2 3] (cons 1 [2 3]))
  ([1 2] (take 2 [1 2 3]))
  ([1] (take 2 [1]))
  (0 (take 0 [1]))
  ([3] (drop 2 [1 2 3]))
  (0 (drop 2 [1])))

(tests
  (1 (planEq [1 [2]] [1 [2]]))
  (0 (planEq [1] [2]))
  (0 (planEq 3 planEq))
  (1 (planEq planEq planEq))
  (1 (pinEq planEq (Pin 3) (Pin 3)))
  (0 (pinEq planEq (Pin 3) 3))
  (1 (lawEq planEq (law (f x) x) (law (f x) x)))
  (0 (lawEq planEq (law (f x) x) (law (g x) x)))
  (1 (rowEq planEq (1 2 3) (1 2 3)))
  (0 (rowEq planEq (1 2 3) (2 2 3))))

(assert (Eq 1 1))

; assert and tests throw
(tests
  ((17 ("assertion-failed" "Zero")) (xtry {x -> (%assertion x "Zero")} 2))
  ((17 ("assertion-failed" "Zero")) (xtry {x -> (%assertion x "Zero")} [1]))
  ([0] (xtry {x -> (%assertion x "Zero")} 1)))
