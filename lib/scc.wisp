(require "map")
; Strongly connected components of a directed graph: Kosaraju's algorithm (Sharir, A strong-
; connectivity algorithm and its applications in data flow analysis, 1981) in two searches.
;
; Invariants:
; - a graph is a row of rows: element i holds the nodes that node i has edges to, all below the
;   number of nodes;
; - both searches are loops with a stack of their own, so long paths cost memory, not depth; a set
;   of nodes is a natural with their bits set.

; The graph with all edges turned round, as a map from nodes to lists.
(defun (%reversed graph)
  (foldl {m i ->
      (foldl {acc to -> (bal-insert to [i (bal-idx to acc)] acc)} m (Ix i graph))}
    0 (range 0 (Sz graph))))

; Depth first from the nodes on a stack; edges gives a node's list. The stack holds nodes to
; visit, and [node] to leave it. The result is [seen order], the nodes left, last one first.
(defun (%search edges stack seen order)
  (@ top (Ix0 stack))
  (@ node (If (IsApp top) (Ix0 top) top))
  (Seq seen (Seq order
    (If (Nil stack) [seen order]
      (If (IsApp top) (%search edges (Ix1 stack) seen [node order])
        (If (Test node seen) (%search edges (Ix1 stack) seen order)
          (%search edges (lweld (edges node) [[node] (Ix1 stack)]) (Set node seen) order)))))))

; The components, in the order in which their first nodes stand in a list: a search of the
; turned graph from a node reaches exactly its component among the nodes not seen before.
(defun (%components edges nodes seen)
  (@ found (%search edges [(Ix0 nodes) 0] seen 0))
  (And nodes
    (If (Test (Ix0 nodes) seen) (%components edges (Ix1 nodes) seen)
      [(array (Ix1 found)) (%components edges (Ix1 nodes) (Ix0 found))])))

(defun (%mark graph part)
  (@ self (Ix0 part))
  (Coup (Or (Gt (Sz part) 1) (has self (Ix self graph))) part))

(defun (scc graph) "The strongly connected components of a graph, given as a row of rows of nodes.
A row of rows of nodes, each component before those it has edges to. Components with a cycle have
the head 1, the others the head 0. O(n log n) steps for n nodes and edges, and n/64 words of
copying for each node.
(scc [[1] []])  => [[0] [1]]
(scc [[0]])  => [(1 0)]"
  (@ turned (%reversed graph))
  (@ first  (%search {v -> (stream (Ix v graph))} (lrange 0 (Sz graph)) 0 0))
  (array (lmap (%mark graph) (%components {v -> (bal-idx v turned)} (Ix1 first) 0))))
