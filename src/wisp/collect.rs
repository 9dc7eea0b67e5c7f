//! The modules of the library as values: what each file of a text binds, found by comparing the
//! environments before and after each form.
//!
//! Invariants:
//! - Environments in normal form are read without evaluating, so nothing moves while they are.
//! - A name bound twice in a module is listed once, where it was bound first, with its last value.
//! - `__DOC` itself is not listed; its entries are the fourth slots of the bindings.

use super::env::{FLAG, LEFT, RIGHT, VALUE, compare, slot};
use super::eval::name_bytes;
use super::form::push_bytes;
use super::library::{BUILTINS, LoadError, MARKS};
use super::read::{Event, Reader, is_symbol};
use super::session::{Ended, Session, Silent};
use super::source::Sources;
use crate::machine::Machine;
use crate::value::Value;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Why there are no modules.
#[derive(Clone, Debug)]
pub enum Problem {
    /// The text did not end well.
    Ended(Ended),
    /// A doc string for a name that is not bound.
    Undefined(Vec<u8>),
    /// Lack of memory.
    Load(LoadError),
}

impl<E: Into<LoadError>> From<E> for Problem {
    fn from(error: E) -> Problem {
        Problem::Load(error.into())
    }
}

/// The name of the tree of doc strings, as a key.
const DOC_KEY: Value = Value::direct(u64::from_le_bytes(*b"__DOC\0\0\0"));

impl Session<'_> {
    /// Evaluates the files of a text and pushes the row of their modules (see [`super::library`]) in
    /// normal form; returns the index.
    ///
    /// # Errors
    /// The first problem; the stack may then hold more than before.
    pub fn collect_modules(&mut self, sources: &Sources) -> Result<Vec<u8>, Problem> {
        let (mut index, mut count) = (Vec::new(), 0);
        self.machine.push(Value::ZERO);
        for (file, start, end) in sources.pieces() {
            let text = &sources.text()[..end];
            let name = stem(&sources.files()[file].name);
            let requires = sources.files()[file].requires.iter();
            let deps: Vec<&[u8]> = requires.map(|f| stem(&sources.files()[*f].name)).collect();
            index.extend_from_slice(name);
            for dep in &deps {
                index.push(b' ');
                index.extend_from_slice(dep);
            }
            index.push(b'\t');
            self.machine.ensure_stack(16)?;
            self.machine.push(Value::ZERO);
            push_bytes(self.machine, name)?;
            push_names(self.machine, &deps)?;
            self.push_module(text, start)?;
            self.list_names(&mut index);
            self.machine.make_row(3)?;
            index.push(b'\n');
            count += 1;
        }
        if count > 0 {
            self.machine.make_row(count)?;
        }
        self.machine.force_top()?;
        Ok(index)
    }

    /// Pushes the row of the built-in functions, in the order of [`MARKS`].
    ///
    /// # Errors
    /// Lack of memory.
    pub fn push_builtins(&mut self) -> Result<(), LoadError> {
        self.machine.push(Value::ZERO);
        for (_, function) in self.builtin_functions() {
            self.machine.push(function);
        }
        self.machine.make_row(BUILTINS)?;
        Ok(self.machine.force_top()?)
    }

    /// The built-in functions with the numbers that stand for them.
    pub fn builtin_functions(&self) -> [(u64, Value); BUILTINS] {
        core::array::from_fn(|i| (MARKS[i], self.machine.nth(self.base + 1 + i)))
    }

    /// Appends the names of the bindings on top.
    fn list_names(&self, index: &mut Vec<u8>) {
        let bindings = self.machine.top(0);
        for i in 0..bindings.row_len() {
            let name = name_bytes(slot(bindings.arg(i).resolve(), 0));
            if !name.is_empty() && name.iter().all(|byte| is_symbol(*byte)) {
                index.extend_from_slice(&name);
                index.push(b' ');
            }
        }
    }

    /// Evaluates the text from `start` on and pushes the row of what it binds.
    fn push_module(&mut self, text: &[u8], start: usize) -> Result<(), Problem> {
        let first = self.machine.depth();
        let mut reader = Reader::new(text, start);
        let mut events: Vec<Event> = Vec::new();
        while reader
            .form(&mut events)
            .map_err(|error| Problem::Ended(Ended::Unreadable(error)))?
        {
            let env = self.machine.nth(self.base);
            self.machine.push(env);
            self.evaluate(text, &events, &mut Silent)
                .map_err(Problem::Ended)?;
            let (before, after) = (self.machine.pop(), self.machine.nth(self.base));
            let mut keys = Vec::new();
            changed(after, before, &mut keys);
            let docs = |env| slot(find(env, DOC_KEY), VALUE);
            changed(docs(after), docs(before), &mut keys);
            for key in keys {
                self.machine.ensure_stack(16)?;
                self.list(first, key);
            }
        }
        self.push_listed(first)
    }

    /// Replaces the keys from the place `first` on by the row of their bindings.
    fn push_listed(&mut self, first: usize) -> Result<(), Problem> {
        let count = self.machine.depth() - first;
        self.machine.push(Value::ZERO);
        for i in 0..count {
            self.machine.ensure_stack(16)?;
            let (env, key) = (self.machine.nth(self.base), self.machine.nth(first + i));
            let node = find(env, key);
            if node == Value::ZERO {
                return Err(Problem::Undefined(name_bytes(key)));
            }
            let docs = slot(find(env, DOC_KEY), VALUE);
            let doc = slot(find(docs, key), VALUE);
            for part in [Value::ZERO, key, slot(node, VALUE), slot(node, FLAG), doc] {
                self.machine.push(part);
            }
            self.machine.make_row(4)?;
        }
        if count > 0 {
            self.machine.make_row(count)?;
        }
        let row = self.machine.pop();
        self.machine.drop_top(count);
        self.machine.push(row);
        Ok(())
    }

    /// Pushes a key unless it lies on the stack from the place `first` on.
    fn list(&mut self, first: usize, key: Value) {
        let mut known = (first..self.machine.depth()).map(|place| self.machine.nth(place));
        if key != DOC_KEY && !known.any(|other| compare(other, key).is_eq()) {
            self.machine.push(key);
        }
    }
}

/// Pushes the row of these names; 0 for none.
fn push_names(machine: &mut Machine, names: &[&[u8]]) -> Result<(), LoadError> {
    machine.push(Value::ZERO);
    for name in names {
        machine.ensure_stack(16)?;
        push_bytes(machine, name)?;
    }
    if !names.is_empty() {
        machine.make_row(names.len())?;
    }
    Ok(())
}

/// The name by which a file is required: without directories and suffix.
fn stem(path: &[u8]) -> &[u8] {
    let start = path.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
    let name = &path[start..];
    let end = name.iter().rposition(|b| *b == b'.');
    &name[..end.unwrap_or(name.len())]
}

/// The node of a key in a tree in normal form; 0 if there is none.
fn find(tree: Value, key: Value) -> Value {
    let mut node = tree;
    while node.row_len() > 0 {
        node = match compare(key, slot(node, 0)) {
            Ordering::Less => slot(node, LEFT),
            Ordering::Greater => slot(node, RIGHT),
            Ordering::Equal => return node,
        };
    }
    Value::ZERO
}

/// Appends the keys of `after` that `before` lacks or binds to something else. Subtrees that are the
/// same object are not entered.
fn changed(after: Value, before: Value, keys: &mut Vec<Value>) {
    let mut open = Vec::from([(after, before)]);
    while let Some((new, old)) = open.pop() {
        if new == old || new.row_len() == 0 {
            continue;
        }
        let key = slot(new, 0);
        let beside = old.row_len() > 0 && compare(key, slot(old, 0)).is_eq();
        let node = if beside { old } else { find(before, key) };
        let same = |i| slot(node, i) == slot(new, i);
        if node == Value::ZERO || !same(VALUE) || !same(FLAG) {
            keys.push(key);
        }
        for side in [RIGHT, LEFT] {
            let old = if beside { slot(old, side) } else { Value::ZERO };
            open.push((slot(new, side), old));
        }
    }
}
