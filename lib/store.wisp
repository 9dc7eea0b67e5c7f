(require "row")
; Programs that remember: an image runs what was committed last.
;
; Invariants:
; - a program that remembers is a function of its state and its arguments; what is committed is the
;   function applied to the state, so that the arguments alone are missing;
; - a state is durable before what depends on it is seen: effects follow the commit;
; - where there is no image (a seed, a Wisp file, the prompt), a commit gives its operand and keeps
;   nothing: programs can be tried out as they are.

(define commit
  "(commit x): makes x what the image runs when it is started next, and gives x as it is stored.
When the result is there, x is durable, whatever happens afterwards. Of x only those pins are
written that are not stored yet; if x is what was committed last, nothing is. Throws as io-error
does if that fails; what was committed before holds then.
(commit [1 2])  => [1 2]" (Pin 12))
(define precommit
  "(precommit pin): stores a pin in advance and gives it as it is stored.
What the image runs next stays what it was; what is stored in advance of a commit that never
happens is lost. What is no pin is given back.
(precommit 5)  => 5" (Pin 11))

(defun (save program state)
  "Commits (program state) and gives the state as it is stored.
When the image is started next it runs (program state) with its arguments.
(save {state args -> 0} [1 2])  => [1 2]"
  (Last (commit (program state))))

(defun (stateful step state args)
  "A program that remembers: (define main (stateful step initial-state)).
(step state args) gives [next-state result]. The next state is committed, unless it is the very
state that was there; then the result is evaluated, with the effects that it has, and becomes the
exit status.
(stateful {n args -> [(Inc n) (Mul 2 n)]} 21 0)  => 42"
  (@ r    (step state args))
  (@ next (Ix0 r))
  (Seq next
    (Seq (If (RefEq next state) 0 (commit (stateful step next)))
      (Ix1 r))))
