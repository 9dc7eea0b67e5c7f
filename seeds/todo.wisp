(require "std")
; todo: a to-do list that is kept in its own executable.
;
;   plan build todo.wisp -o todo      makes the executable
;   ./todo help                       lists the commands
;
; Status 0; 1 if there is no such item or nothing to undo; 2 for a command line that is not
; understood.
;
; The state is [next items undo]: the number of the next item; a table from numbers to [done text];
; the list of the states [next items] that the last changes led away from. A command gives the next
; state and a result, which is printed when that state is safe.

(define UNDO "How many changes can be undone." 20)
(define nothing-yet [1 table-empty 0])

(define usage (text
  "todo add TEXT...   puts something on the list\n"
  "todo [list]        shows the list\n"
  "todo done N        marks item N as done\n"
  "todo remove N      takes item N off the list\n"
  "todo clear         takes everything off that is done\n"
  "todo undo          takes the last change back\n"
  "todo help          shows this\n"))

; Results.

(defun (complain status message)
  (do (print-error (strWeld "todo: " message)) status))

(defun (item-line number item)
  (fmt "{s} {s}  {s}" (if (Ix0 item) "[x]" "[ ]") (str-pad-left 3 32 (showNat number)) (Ix1 item)))
(defun (print-items items)
  (if items
    (leach {e -> (print-line (item-line (Ix0 e) (Ix1 e)))} (table-list items))
    (print-line "nothing to do")))

; Changes.

; A state in which something has changed, with the way back.
(defun (changed state next items) [next items (ltake UNDO [(slice state 0 2) (Ix2 state)])])

(defun (add-item state words)
  (@ [next items undo] state)
  (@ item [0 (str-replace 10 32 (str-trim (str-join 32 words)))])
  (if (Ix1 item)
    [(changed state (Inc next) (table-put next item items)) (print-line (item-line next item))]
    [state (complain 2 "what is to be done? (todo add TEXT...)")]))

; What a command does that takes the number of an item: (f number item).
(defun (with-item state words f)
  (@ n    (parse-nat (Ix0 words)))
  (@ item (and n (table-get (Ix0 n) (Ix1 state))))
  (cond
    ((Or (Ne 1 (Sz words)) (not n))
      [state (complain 2 "which item? (give one number; todo list shows them)")])
    ((not item) [state (complain 1 (fmt "there is no item {s} (todo list shows all)" (Ix0 words)))])
    (else (f (Ix0 n) (Ix0 item)))))

(defun (finish-item state number item)
  (@ done [1 (Ix1 item)])
  (if (Ix0 item)
    [state (print-line (fmt "item {} is done already" number))]
    [(changed state (Ix0 state) (table-put number done (Ix1 state)))
     (print-line (item-line number done))]))
(defun (remove-item state number item)
  [(changed state (Ix0 state) (table-delete number (Ix1 state)))
   (print-line (fmt "removed: {s}" (Ix1 item)))])

(defun (clear-done state)
  (@ [next items undo] state)
  (@ left (table-from (filter {e -> (not (Ix0 (Ix1 e)))} (table-entries items))))
  (@ n    (Sub (table-size items) (table-size left)))
  (if n
    [(changed state next left) (print-line (fmt "removed what is done: {}" n))]
    [state (print-line "nothing is done yet")]))

(defun (undo-change state)
  (@ undo (Ix2 state))
  (if undo
    [(snoc (Ix0 undo) (Ix1 undo)) (print-items (Ix1 (Ix0 undo)))]
    [state (complain 1 "there is nothing to undo")]))

; Commands.

(defun (run state args)
  (@ words (drop 1 args))
  (case (Ix0 args)
    (0        [state (print-items (Ix1 state))])
    ("list"   [state (print-items (Ix1 state))])
    ("add"    (add-item state words))
    ("done"   (with-item state words (finish-item state)))
    ("remove" (with-item state words (remove-item state)))
    ("clear"  (clear-done state))
    ("undo"   (undo-change state))
    ("help"   [state (print-str usage)])
    (else
      [state (complain 2 (fmt "there is no command {s} (todo help lists them)" (Ix0 args)))])))

(define main (stateful run nothing-yet))
