//! The built-in library as the build prepared it: what is in it, and how it comes into a session.
//!
//! Three parts, which `plan seed save --library` writes and `main.rs` embeds:
//!
//! | part | holds |
//! |---|---|
//! | `builtins` | a seed: the row of the built-in functions in the order of [`MARKS`] |
//! | `modules` | a seed: a row of modules `(name deps bindings)`; a binding is `(name value flag doc)` |
//! | `index` | text: a line per module, in the same order: `name dep…` TAB `binding…` |
//!
//! Invariants:
//! - A module stands after those it depends on; its bindings are in the order of their definition.
//! - Where a library value holds a built-in function, the seed holds a number of [`MARKS`]: so a
//!   loaded value holds the very functions of the session, which are known by identity.
//! - Loading binds what evaluating the module's text would bind; the tree is balanced afterwards.
//! - A library that cannot be decoded is a defect of the executable, never of the program.

use super::env::{FLAG, LEFT, RIGHT, VALUE, compare, push_slot, slot};
use super::eval::{Evaluator, Failure};
use super::session::Session;
use crate::machine::{Machine, Stop};
use crate::seed::{SeedError, load_with};
use crate::value::Value;
use alloc::vec::Vec;
use core::ops::Range;

/// Stand for the built-in functions in `modules`. No program has a reason to hold these numbers.
pub const MARKS: [u64; BUILTINS] = {
    let mut marks = [0x2d1f_7b63_9c4e_8000; BUILTINS];
    let mut i = 0;
    while i < BUILTINS {
        marks[i] += i as u64;
        i += 1;
    }
    marks
};

/// Number of built-in functions of a session.
pub const BUILTINS: usize = 5;

/// Most nodes of a tree that is made anew when modules are loaded.
const MAX_NODES: usize = 20_000;

/// The name of the tree of doc strings.
pub const DOC: &[u8] = b"__DOC";

/// What the build prepared; all but the text empty in an executable built without it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Library {
    /// The text of the built-in functions ([`super::start::BUILTIN`]), for a session without the
    /// prepared ones; data of the executable like the rest.
    pub text: &'static [u8],
    /// The built-in functions.
    pub builtins: &'static [u8],
    /// The modules.
    pub modules: &'static [u8],
    /// Names and dependencies of the modules.
    pub index: &'static [u8],
}

/// One line of the index.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// The name that requires it.
    pub name: &'static [u8],
    /// Names of the modules it requires.
    deps: &'static [u8],
    /// The names it binds.
    bindings: &'static [u8],
}

impl Module {
    /// The names it binds, in order of their definition.
    pub fn bindings(&self) -> impl Iterator<Item = &'static [u8]> {
        words(self.bindings)
    }
}

fn words(text: &'static [u8]) -> impl Iterator<Item = &'static [u8]> {
    text.split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty())
}

impl Library {
    /// The modules, in an order in which each comes after those it depends on.
    pub fn modules(self) -> impl Iterator<Item = Module> {
        let lines = self.index.split(|byte| *byte == b'\n');
        lines.filter(|line| !line.is_empty()).map(|line| {
            let mut halves = line.splitn(2, |byte| *byte == b'\t');
            let (head, bindings) = (halves.next().unwrap_or(b""), halves.next().unwrap_or(b""));
            let end = head.iter().position(|byte| *byte == b' ');
            let (name, deps) = head.split_at(end.unwrap_or(head.len()));
            Module {
                name,
                deps,
                bindings,
            }
        })
    }

    /// The index of the module of this name.
    pub fn find(self, name: &[u8]) -> Option<usize> {
        self.modules().position(|module| module.name == name)
    }

    /// The first module that binds this name: what to require for it.
    pub fn defining(self, name: &[u8]) -> Option<&'static [u8]> {
        self.modules()
            .find(|module| module.bindings().any(|binding| binding == name))
            .map(|module| module.name)
    }

    /// Marks a module and all it needs among the modules to load.
    fn need(self, module: usize, loaded: &[bool]) -> Vec<usize> {
        let modules: Vec<Module> = self.modules().collect();
        let mut needed = Vec::from_iter((0..modules.len()).map(|i| i == module));
        for i in (0..modules.len()).rev().filter(|i| *i <= module) {
            if !needed[i] {
                continue;
            }
            for dep in words(modules[i].deps) {
                if let Some(at) = modules.iter().position(|other| other.name == dep) {
                    needed[at] = true;
                }
            }
        }
        (0..modules.len())
            .filter(|i| needed[*i] && !loaded.get(*i).copied().unwrap_or(false))
            .collect()
    }
}

/// Why a part of the library is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// A seed of the executable is malformed, or memory is exhausted.
    Seed(SeedError),
    /// A value of the library is not of the form it must have.
    Shape,
    /// Evaluation failed, which means a lack of memory: code and payload of the exception are the
    /// two topmost values.
    Stop(Stop),
}

impl From<SeedError> for LoadError {
    fn from(error: SeedError) -> LoadError {
        LoadError::Seed(error)
    }
}

impl From<Stop> for LoadError {
    fn from(stop: Stop) -> LoadError {
        LoadError::Stop(stop)
    }
}

impl From<Failure> for LoadError {
    fn from(failure: Failure) -> LoadError {
        match failure {
            Failure::Loop => LoadError::Stop(Stop::Loop),
            Failure::Thrown => LoadError::Stop(Stop::Thrown),
            Failure::Rejected => LoadError::Shape,
        }
    }
}

/// Pushes slot `i` of the evaluated row on top, evaluated.
fn push_part(machine: &mut Machine, i: usize) -> Result<(), LoadError> {
    let row = machine.top(0);
    if !row.is_closure() || row.head() != Value::ZERO || i >= row.size() {
        return Err(LoadError::Shape);
    }
    push_slot(machine, 0, i);
    Ok(machine.eval_top()?)
}

impl Session<'_> {
    /// Fills the places of the built-in functions by those of the prepared seed.
    pub(super) fn load_builtins(&mut self) -> Result<(), LoadError> {
        let (library, base) = (self.library, self.base);
        load_with(self.machine, library.builtins, &[])?;
        self.machine.force_top()?;
        for i in 0..BUILTINS {
            push_part(self.machine, i)?;
            let v = self.machine.pop();
            self.set(base + 1 + i, v);
        }
        self.machine.drop_top(1);
        Ok(())
    }

    /// Binds the names of a module of the library, and before them those of all modules it needs, as
    /// far as they have not been loaded in this session.
    ///
    /// # Errors
    /// A library that cannot be decoded, and lack of memory. The stack may then hold more than
    /// before; the environment is unchanged or has some of the names.
    pub fn require(&mut self, module: usize) -> Result<(), LoadError> {
        let wanted = self.library.need(module, &self.loaded);
        if wanted.is_empty() {
            return Ok(());
        }
        let known: Vec<(u64, usize)> = MARKS
            .iter()
            .enumerate()
            .map(|(i, mark)| (*mark, self.base + 1 + i))
            .collect();
        let depth = self.machine.depth();
        load_with(self.machine, self.library.modules, &known)?;
        self.machine.eval_top()?;
        for i in &wanted {
            self.push_bindings(depth, *i)?;
        }
        self.bind_all_from(depth + 1)?;
        self.machine.drop_top(self.machine.depth() - depth);
        for i in wanted {
            self.loaded.resize(self.loaded.len().max(i + 1), false);
            self.loaded[i] = true;
        }
        Ok(())
    }

    /// Pushes the bindings of a module, in normal form; the row of modules is at the place `root`.
    fn push_bindings(&mut self, root: usize, module: usize) -> Result<(), LoadError> {
        let machine = &mut *self.machine;
        machine.push(machine.nth(root));
        push_part(machine, module)?;
        push_part(machine, 2)?;
        machine.force_top()?;
        let count = machine.top(0).row_len();
        machine.ensure_stack(count + 16)?;
        let bindings = machine.pop();
        machine.drop_top(2);
        for i in 0..count {
            let binding = bindings.arg(i).resolve();
            if binding.row_len() != 4 {
                return Err(LoadError::Shape);
            }
            machine.push(binding);
        }
        Ok(())
    }

    /// Binds what the bindings from the place `first` of the stack on say; of several of one name the
    /// last counts.
    fn bind_all_from(&mut self, first: usize) -> Result<(), LoadError> {
        let bindings: Vec<usize> = (first..self.machine.depth()).collect();
        self.push_binding(DOC)?;
        let docs = self.machine.depth() - 1;
        self.bind_in(self.base, &bindings, [0, 1, 2])?;
        let documented = bindings.into_iter();
        let doc = |place: &usize| self.machine.nth(*place).arg(3).resolve();
        let documented: Vec<usize> = documented.filter(|i| doc(i) != Value::ZERO).collect();
        if documented.is_empty() {
            return Ok(());
        }
        self.bind_in(docs, &documented, [0, 3, 2])?;
        Ok(self.bind(DOC, docs, None, false)?)
    }

    /// Binds in the tree at a place of the stack: these slots of the rows at these places are key,
    /// value and flag. A tree that can be read as it is is made anew, balanced, which takes a
    /// twentieth of the time of making a path for each name.
    fn bind_in(
        &mut self,
        tree: usize,
        bindings: &[usize],
        slots: [usize; 3],
    ) -> Result<(), LoadError> {
        let depth = self.machine.depth();
        if let Some(mut order) = self.push_nodes(tree)? {
            let nodes = depth..self.machine.depth();
            for place in bindings {
                let key = |place: usize| self.machine.nth(place).arg(0).resolve();
                let at = order.partition_point(|i| compare(key(*i), key(*place)).is_lt());
                match order.get_mut(at) {
                    Some(i) if compare(key(*i), key(*place)).is_eq() => *i = *place,
                    _ => order.insert(at, *place),
                }
            }
            self.push_tree(&order, &nodes, slots)?;
            let made = self.machine.pop();
            self.machine.drop_top(self.machine.depth() - depth);
            self.set(tree, made);
            return Ok(());
        }
        self.machine.drop_top(self.machine.depth() - depth);
        for place in bindings {
            self.push_slots(*place, slots);
            let (builtins, rules) = (self.builtins, self.rules);
            Evaluator::new(self.machine, tree, builtins, rules).bind_top()?;
        }
        Ok(())
    }

    /// Pushes the nodes of a tree in the order of their keys and gives their places; nothing if there
    /// are too many, if any is unevaluated or has more slots than are known, or if their order is not
    /// that of a search tree.
    fn push_nodes(&mut self, tree: usize) -> Result<Option<Vec<usize>>, LoadError> {
        let (mut open, mut order) = (Vec::new(), Vec::new());
        let mut node = self.machine.nth(tree).resolve();
        loop {
            while node != Value::ZERO {
                let plain = node.row_len() >= 3 && node.row_len() <= 5;
                if !plain || node.head() != Value::ZERO || open.len() + order.len() > MAX_NODES {
                    return Ok(None);
                }
                open.push(node);
                node = slot(node, LEFT);
            }
            let Some(next) = open.pop() else {
                return Ok(Some(order));
            };
            let key = slot(next, 0);
            let last = order.last().map(|place| self.machine.nth(*place).arg(0));
            if !key.is_nat() || last.is_some_and(|last| compare(last.resolve(), key).is_ge()) {
                return Ok(None);
            }
            self.machine.ensure_stack(16)?;
            self.machine.push(next);
            order.push(self.machine.depth() - 1);
            node = slot(next, RIGHT);
        }
    }

    /// Pushes the balanced tree of the rows at these places. The recursion is as deep as the tree.
    fn push_tree(
        &mut self,
        order: &[usize],
        nodes: &Range<usize>,
        slots: [usize; 3],
    ) -> Result<(), LoadError> {
        self.machine.push(Value::ZERO);
        let middle = order.len() / 2;
        let Some(place) = order.get(middle) else {
            return Ok(());
        };
        let of_node = [0, VALUE, FLAG];
        self.push_slots(
            *place,
            if nodes.contains(place) {
                of_node
            } else {
                slots
            },
        );
        if order.len() == 1 {
            return Ok(self.machine.make_row(3)?);
        }
        self.push_tree(&order[..middle], nodes, slots)?;
        self.push_tree(&order[middle + 1..], nodes, slots)?;
        Ok(self.machine.make_row(5)?)
    }

    /// Pushes three slots of the row at a place of the stack.
    fn push_slots(&mut self, place: usize, slots: [usize; 3]) {
        let row = self.machine.nth(place);
        for i in slots {
            self.machine.push(slot(row, i));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: Library = Library {
        text: b"",
        builtins: b"",
        modules: b"",
        index: b"op\tInc Dec\nbase op\tdefun Inc\nlists op base\t\nstd base lists\t\n",
    };

    #[test]
    fn the_index_gives_names_and_order() {
        let names: Vec<_> = LIBRARY.modules().map(|module| module.name).collect();
        assert_eq!(names, [&b"op"[..], b"base", b"lists", b"std"]);
        assert_eq!(LIBRARY.find(b"lists"), Some(2));
        assert_eq!(LIBRARY.find(b"list"), None);
        assert_eq!(LIBRARY.defining(b"Inc"), Some(&b"op"[..]));
        assert_eq!(LIBRARY.defining(b"nope"), None);
        assert_eq!(LIBRARY.need(3, &[]), [0, 1, 2, 3]);
        assert_eq!(LIBRARY.need(1, &[true]), [1]);
        assert_eq!(LIBRARY.need(0, &[true]), [0; 0]);
        assert_eq!(Library::default().modules().count(), 0);
    }
}
