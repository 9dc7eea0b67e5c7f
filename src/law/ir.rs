//! A law body as a tree: chains of applications flattened, references resolved (chapter 01 §5.1).
//!
//! Invariants:
//! - The head of an application is a slot or a constant that is no closure.
//! - Aliases and constants bound by a let are substituted, lets used once are inlined, so every let
//!   that is left is a cell used more than once, or in itself.

use crate::value::Value;
use alloc::vec;
use alloc::vec::Vec;

/// The body is too large or nested too deep to compile.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLarge;

/// Deepest nesting of applications in one expression.
const MAX_DEPTH: usize = 128;
/// Most slots of a law: self, arguments and lets.
pub(super) const MAX_SLOTS: usize = 1024;

/// Index of a node.
pub(super) type Id = u32;

/// One expression.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    /// Slot: 0 self, then arguments, then lets.
    Slot(u32),
    /// A constant in normal form.
    Const(Value),
    /// Application of a node to `len` arguments from `first` of the argument list on.
    App { head: Id, first: u32, len: u32 },
    /// An expression too deep for the tree.
    Deep(Value),
    /// A let that is only itself.
    Itself,
}

/// The body and its lets.
pub(super) struct Ir {
    pub nodes: Vec<Node>,
    pub args: Vec<Id>,
    /// Number of arguments.
    pub arity: usize,
    /// Expressions of the lets.
    pub lets: Vec<Id>,
    pub body: Id,
    /// Number of uses of each slot.
    pub uses: Vec<u32>,
    /// Slots each let needs to be built, itself and others transitively.
    pub needs: Vec<u64>,
    deep: bool,
}

/// The bit of a slot in a set; slots from 63 on share one bit, which is never cleared.
pub(super) fn bit(slot: u32) -> u64 {
    1 << slot.min(63)
}

/// Parses a law.
pub(super) fn parse(law: Value) -> Result<Ir, TooLarge> {
    let arity = usize::try_from(law.law_arity().saturated()).map_err(|_| TooLarge)?;
    let lets = law.field(5).bits() as usize;
    let slots = arity.checked_add(lets).ok_or(TooLarge)? + 1;
    if slots > MAX_SLOTS {
        return Err(TooLarge);
    }
    let mut ir = Ir {
        nodes: Vec::new(),
        args: Vec::new(),
        arity,
        lets: Vec::new(),
        body: 0,
        uses: vec![0; slots],
        needs: vec![0; slots],
        deep: false,
    };
    let mut body = law.law_body();
    for _ in 0..lets {
        let id = ir.expression(body.arg(0), slots, 0);
        ir.lets.push(id);
        body = body.arg(1);
    }
    ir.body = ir.expression(body, slots, 0);
    ir.resolve_aliases();
    ir.count_uses();
    ir.compute_needs();
    Ok(ir)
}

impl Ir {
    pub fn push(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        (self.nodes.len() - 1) as Id
    }

    pub fn node(&self, id: Id) -> Node {
        self.nodes[id as usize]
    }

    pub fn slots(&self) -> usize {
        1 + self.arity + self.lets.len()
    }

    /// The expression of a slot that is a let.
    pub fn definition(&self, slot: u32) -> Option<Id> {
        (slot as usize)
            .checked_sub(self.arity + 1)
            .map(|i| self.lets[i])
    }

    /// Whether a let is used once and therefore stands where it is used.
    pub fn is_inline(&self, slot: u32) -> bool {
        slot as usize > self.arity && self.uses[slot as usize] == 1 && !self.deep
    }

    /// Whether a let is a cell with a slot of its own. An expression too deep for the tree reads
    /// every slot, so beside one every let is.
    pub fn is_cell(&self, slot: u32) -> bool {
        slot as usize > self.arity && (self.deep || self.uses[slot as usize] > 1)
    }

    /// What a slot stands for: an inlined let is its expression.
    pub fn view(&self, id: Id) -> (Id, Node) {
        let mut id = id;
        loop {
            let node = self.node(id);
            match node {
                Node::Slot(s) if self.is_inline(s) => match self.definition(s) {
                    Some(definition) => id = definition,
                    None => return (id, node),
                },
                _ => return (id, node),
            }
        }
    }

    fn expression(&mut self, e: Value, slots: usize, depth: usize) -> Id {
        let mut arguments = Vec::new();
        let mut head = e;
        while head.is_closure() && head.is_small_closure(0, 2) {
            arguments.push(head.arg(1));
            head = head.arg(0);
        }
        if !arguments.is_empty() && depth == MAX_DEPTH {
            self.deep = true;
            return self.push(Node::Deep(e));
        }
        let node = if head.is_direct() && (head.bits() as usize) < slots {
            Node::Slot(head.bits() as u32)
        } else if head.is_closure() && head.is_small_closure(0, 1) {
            Node::Const(head.arg(0))
        } else {
            Node::Const(head)
        };
        if arguments.is_empty() {
            return self.push(node);
        }
        let mut ids = Vec::with_capacity(arguments.len());
        let mut node = node;
        if let Node::Const(c) = node
            && c.is_closure()
        {
            for i in 0..c.size() {
                ids.push(self.push(Node::Const(c.arg(i))));
            }
            node = Node::Const(c.head());
        }
        let head = self.push(node);
        for argument in arguments.into_iter().rev() {
            ids.push(self.expression(argument, slots, depth + 1));
        }
        let first = self.args.len() as u32;
        let len = ids.len() as u32;
        self.args.extend(ids);
        self.push(Node::App { head, first, len })
    }

    /// Replaces references to lets that are only another name, or a constant.
    fn resolve_aliases(&mut self) {
        let targets: Vec<Node> = (0..self.slots() as u32)
            .map(|s| self.alias_target(s))
            .collect();
        let is_head: Vec<bool> = {
            let mut heads = vec![false; self.nodes.len()];
            for node in &self.nodes {
                if let Node::App { head, .. } = node {
                    heads[*head as usize] = true;
                }
            }
            heads
        };
        for (i, node) in self.nodes.iter_mut().enumerate() {
            if let Node::Slot(s) = *node {
                let target = targets[s as usize];
                let closure_head = matches!(target, Node::Const(c) if is_head[i] && c.is_closure());
                if !closure_head {
                    *node = target;
                }
            }
        }
    }

    fn alias_target(&self, slot: u32) -> Node {
        let mut s = slot;
        for _ in 0..self.slots() {
            match self.definition(s).map(|id| self.node(id)) {
                Some(Node::Slot(next)) => s = next,
                Some(Node::Const(c)) => return Node::Const(c),
                _ => return Node::Slot(s),
            }
        }
        Node::Itself
    }

    fn count_uses(&mut self) {
        let mut reached = vec![false; self.slots()];
        let mut work = vec![self.body];
        while let Some(id) = work.pop() {
            match self.node(id) {
                Node::Slot(s) => {
                    self.uses[s as usize] += 1;
                    if let Some(definition) = self.definition(s)
                        && !core::mem::replace(&mut reached[s as usize], true)
                    {
                        work.push(definition);
                    }
                }
                Node::App { head, first, len } => {
                    work.push(head);
                    work.extend_from_slice(&self.args[first as usize..(first + len) as usize]);
                }
                Node::Const(_) | Node::Deep(_) | Node::Itself => {}
            }
        }
    }

    /// The slots that evaluating a node reads, lets not looked into but for inlined ones.
    pub fn free(&self, id: Id, visit: &mut impl FnMut(u32)) {
        let mut work = vec![id];
        while let Some(id) = work.pop() {
            match self.view(id).1 {
                Node::Slot(s) => visit(s),
                Node::App { head, first, len } => {
                    work.push(head);
                    work.extend_from_slice(&self.args[first as usize..(first + len) as usize]);
                }
                Node::Deep(_) => (0..self.slots() as u32).for_each(&mut *visit),
                Node::Const(_) | Node::Itself => {}
            }
        }
    }

    /// The slots a node needs, those of the lets it needs included.
    pub fn needs(&self, id: Id) -> u64 {
        let mut set = 0;
        self.free(id, &mut |s| set |= bit(s) | self.needs[s as usize]);
        set
    }

    fn compute_needs(&mut self) {
        loop {
            let mut changed = false;
            for i in 0..self.lets.len() {
                let slot = self.arity + 1 + i;
                let set = self.needs[slot] | bit(slot as u32) | self.needs(self.lets[i]);
                changed |= set != self.needs[slot];
                self.needs[slot] = set;
            }
            if !changed {
                return;
            }
        }
    }
}
