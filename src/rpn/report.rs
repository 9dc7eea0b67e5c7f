//! The heap report of `showheap`: chapter 04 §6.
//!
//! Invariants:
//! - Breadth first from the stack, bottom first; each object once; what is in pins is not visited.
//! - Nothing is evaluated or moved, so an object is known by its address.

use crate::heap::words::Words;
use crate::machine::Machine;
use crate::value::print::{self, OutOfMemory, Sink, Style};
use crate::value::{Kind, ThunkKind, Value};
use alloc::collections::VecDeque;

/// Prints the objects of the moving heap that `roots` lead to.
pub(super) fn heap(
    machine: &Machine,
    roots: impl Iterator<Item = Value>,
    style: &Style,
    sink: &mut dyn Sink,
) -> Result<(), OutOfMemory> {
    let (queue, seen) = (VecDeque::new(), Words::default());
    let mut walk = Walk {
        machine,
        queue,
        seen,
    };
    for root in roots {
        walk.meet(root)?;
    }
    while let Some(v) = walk.queue.pop_front() {
        object(v, style, sink, &mut walk)?;
    }
    Ok(())
}

struct Walk<'m> {
    machine: &'m Machine,
    queue: VecDeque<Value>,
    seen: Words,
}

impl Walk<'_> {
    /// Notes an object for later, unless it has been noted or is none of the moving heap's.
    fn meet(&mut self, v: Value) -> Result<(), OutOfMemory> {
        if v.is_direct() || !self.machine.is_movable(v) && !v.is_fixed() {
            return Ok(());
        }
        self.seen.reserve().ok_or(OutOfMemory)?;
        self.queue.try_reserve(1).map_err(|_| OutOfMemory)?;
        if self.seen.insert(v.address() as u64, 0).is_none() {
            self.queue.push_back(v);
        }
        Ok(())
    }
}

/// Prints one object and notes its parts.
fn object(
    v: Value,
    style: &Style,
    sink: &mut dyn Sink,
    walk: &mut Walk<'_>,
) -> Result<(), OutOfMemory> {
    if v.is_nat() {
        natural(v, sink);
        return Ok(());
    }
    let (label, parts, words): (&[u8], _, _) = if v.is_law() {
        (b"l[", 0..3, 6)
    } else if v.is_closure() {
        let normal = v.header().is(Kind::ClosureNf);
        let label: &[u8] = if normal { b"kn[" } else { b"kl[" };
        (label, 0..v.size() + 1, v.size() + 1)
    } else {
        let count = cell_parts(v);
        (b"th[", 1..count + 1, count + 1)
    };
    begin(label, words, sink);
    if v.is_thunk() {
        sink.bytes(b"\t&");
        sink.bytes(cell_name(v));
        sink.bytes(b"\n");
    }
    for i in parts {
        sink.bytes(b"\t");
        print::show_line(v.field(i), style, sink)?;
        walk.meet(v.field(i))?;
    }
    if v.is_law() {
        sink.bytes(b"\t&Judge\n");
        for word in [v.call_arity(), v.raw(5)] {
            sink.bytes(b"\t");
            print::decimal(word, sink);
            sink.bytes(b"\n");
        }
    }
    Ok(())
}

fn begin(label: &[u8], words: usize, sink: &mut dyn Sink) {
    sink.bytes(label);
    print::decimal(words as u64, sink);
    sink.bytes(b"]:");
}

fn natural(v: Value, sink: &mut dyn Sink) {
    let mut space = [0];
    let limbs = v.limbs(&mut space);
    begin(b"b[", limbs.len(), sink);
    for limb in limbs {
        sink.bytes(b"\t");
        print::hex_word(*limb, 16, sink);
        sink.bytes(b"\n");
    }
}

/// Number of parts of a cell that hold something.
fn cell_parts(v: Value) -> usize {
    match ThunkKind::shown(v.thunk_kind()) {
        ThunkKind::HOLE => 0,
        ThunkKind::DONE => 1,
        _ => v.header().words() - 1,
    }
}

fn cell_name(v: Value) -> &'static [u8] {
    match ThunkKind::shown(v.thunk_kind()) {
        ThunkKind::DONE => b"xdone",
        ThunkKind::HOLE => b"xhole",
        ThunkKind::APP => b"xunknown",
        ThunkKind::HEAD => b"xhead",
        ThunkKind::EXPAND => b"xbody",
        ThunkKind::RETHROW => b"xthrow",
        _ => b"xcode",
    }
}
