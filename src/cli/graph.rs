//! A value in normal form as a seed.
//!
//! Invariants:
//! - no native recursion, and every object is visited once: what is shared in memory costs once, and
//!   what is equal becomes one node of the graph;
//! - nothing is allocated on the machine, so objects are known by their addresses.

use crate::seed::{self, Graph, Id, SeedError, Version};
use crate::value::Value;
use alloc::vec::Vec;
use hashbrown::HashMap;

/// The seed of `v`, which must be in normal form.
///
/// # Errors
/// E_MEMORY.
pub fn encode(v: Value, version: Version) -> Result<Vec<u8>, SeedError> {
    let mut graph = Graph::new();
    let root = Walk::new(&mut graph)?.value(v)?;
    seed::encode(&graph, root, version)
}

/// An object some parts of which are nodes already.
struct Open {
    object: Value,
    /// The cells of the parts so far, from the left; `None` before the head of a closure.
    cells: Option<Id>,
    /// The part that comes next.
    next: usize,
}

struct Walk<'g> {
    graph: &'g mut Graph,
    law_constructor: Id,
    known: HashMap<u64, Id>,
    open: Vec<Open>,
}

fn no_memory() -> SeedError {
    SeedError::memory("the value is too large to write with the memory there is")
}

impl<'g> Walk<'g> {
    fn new(graph: &'g mut Graph) -> Result<Walk<'g>, SeedError> {
        let law_constructor = graph.law_constructor()?;
        let (known, open) = (HashMap::new(), Vec::new());
        Ok(Walk {
            graph,
            law_constructor,
            known,
            open,
        })
    }

    /// The node of `v`.
    fn value(&mut self, v: Value) -> Result<Id, SeedError> {
        let mut found = self.meet(v)?;
        while let Some(open) = self.open.pop() {
            found = self.resume(open, found)?;
        }
        found.ok_or_else(no_memory)
    }

    /// The node of `v` if it is known or has no parts; otherwise `v` is opened.
    fn meet(&mut self, v: Value) -> Result<Option<Id>, SeedError> {
        let v = v.resolve();
        if v.is_direct() {
            return self.graph.nat(v.limbs(&mut [0])).map(Some);
        }
        if let Some(id) = self.known.get(&(v.address() as u64)) {
            return Ok(Some(*id));
        }
        if v.is_nat() {
            let id = self.graph.nat(v.limbs(&mut [0]))?;
            self.know(v, id)?;
            return Ok(Some(id));
        }
        let (param, zero) = (self.graph.param(), Value::ZERO);
        if v.is_pin() && v.item() == zero {
            return Ok(Some(param));
        }
        let cells = match v {
            _ if v.is_pin() => Some(param),
            _ if v.is_law() => Some(self.law_constructor),
            _ => None,
        };
        self.open.try_reserve(1).map_err(|_| no_memory())?;
        self.open.push(Open {
            object: v,
            cells,
            next: 0,
        });
        Ok(None)
    }

    /// Goes on with an object: `found` is the node of the part before `next`, if it has just become
    /// known. Gives the node of the object when that was the last part.
    fn resume(&mut self, open: Open, found: Option<Id>) -> Result<Option<Id>, SeedError> {
        let Open {
            object,
            mut cells,
            mut next,
        } = open;
        if let Some(part) = found {
            cells = Some(self.join(cells, part)?);
            next += 1;
        }
        while next < part_count(object) {
            // Reserved by the push that this object was popped from.
            self.open.push(Open {
                object,
                cells,
                next,
            });
            let Some(part) = self.meet(object.field(next))? else {
                return Ok(None);
            };
            self.open.pop();
            cells = Some(self.join(cells, part)?);
            next += 1;
        }
        let id = cells.ok_or_else(no_memory)?;
        self.know(object, id)?;
        Ok(Some(id))
    }

    fn join(&mut self, cells: Option<Id>, part: Id) -> Result<Id, SeedError> {
        match cells {
            Some(cells) => self.graph.cell(cells, part),
            None => Ok(part),
        }
    }

    fn know(&mut self, v: Value, id: Id) -> Result<(), SeedError> {
        self.known.try_reserve(1).map_err(|_| no_memory())?;
        self.known.insert(v.address() as u64, id);
        Ok(())
    }
}

/// Number of payload words that are parts: the item, name, arity and body, or head and arguments.
fn part_count(object: Value) -> usize {
    if object.is_pin() {
        1
    } else if object.is_law() {
        3
    } else {
        object.size() + 1
    }
}
