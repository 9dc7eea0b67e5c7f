(require "std")
; Names, variables and patterns as the compiler sees them.

(deftest variables
  (= 1 (Lt (Bytes "abc") (Bytes (%symbol "abc" 5))))
  (= "abc" (Load 0 3 (%symbol "abc" 5)))
  (Ne (%symbol "abc" 5) (%symbol "abc" 6))
  (Ne (%symbol "abc" 5) (%symbol "abd" 5)))

(define scope ["x" 1 0 ["y" 2 0 (%scope-mark ["z" 3 0 0])]])
(deftest scopes
  (= [1 2 3 0] [(Ix1 (%local "x" scope)) (Ix1 (%local "y" scope)) (Ix1 (%local "z" scope))
                 (%local "w" scope)])
  (= [1 1 0] [(%declared "x" scope) (%declared "y" scope) (%declared "z" scope)]))

(deftest patterns
  (= [[(1 Ix0) "v"] [(1 Ix7) "v"] [(1 Ix) (1 8) "v"]]
    [(%element 0 "v") (%element 7 "v") (%element 8 "v")]))
