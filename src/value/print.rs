//! The value printer: chapter 04 §5 (console) and §8, chapter 02 §3.2 (trace).
//!
//! Text goes to a [`Sink`] as raw bytes: names and text naturals are bytes, not UTF-8.
//!
//! Invariants:
//! - Nothing is evaluated and nothing is changed: unevaluated applications print as *cells*, `(f x)`.
//! - No native recursion. What remains to be printed is a stack of [`Todo`]; the last part of a
//!   value is printed without growing it, so a pin of a pin of … costs no memory at all.
//! - The nesting limit bounds closures and cells. The first parts of cells do not count for it, and
//!   are the one way by which a cyclic value could be endless; that cycle is cut, see [`spine`].
//! - Nothing of the heap is allocated: values stay where they are while they are printed.

use super::{Kind, ThunkKind, Value};
use crate::nat;
use crate::os::out::Out;
use alloc::vec::Vec;

/// Nesting limit of the console until `pdepth` changes it (chapter 04 §1).
pub const CONSOLE_DEPTH: u32 = 4;
/// Nesting limit of traces (chapter 02 §3.2).
pub const TRACE_DEPTH: u32 = 20;
/// Levels on which a law shows its body: fixed, whatever the nesting limit is.
const BODY_DEPTH: u32 = 3;

/// Takes the bytes of a text. Errors of an output device are the business of the sink.
pub trait Sink {
    /// Appends `bytes`.
    fn bytes(&mut self, bytes: &[u8]);

    /// Whether more is of no use: printing then ends. The text of a value can be exponentially longer
    /// than the value, whose parts may be shared.
    fn full(&self) -> bool {
        false
    }
}

impl Sink for Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Sink for &mut Vec<u8> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// An error stays in the writer, which reports it when it is flushed.
impl Sink for Out {
    fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.put(bytes);
    }
}

/// How values are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Closures and cells on this level or deeper show `..`; the printed value is on level 1.
    pub depth_limit: u32,
    /// Show naturals that are text as text.
    pub cords: bool,
    /// Show naturals from 2^63 on with their bit length.
    pub bitsz: bool,
    /// Terminal colours of traces.
    pub color: bool,
    /// A pin of a short alphanumeric natural shows its bytes: traces only.
    pub trace: bool,
}

impl Style {
    /// The console before any `pdepth`, `cords` or `bitsz`.
    pub const CONSOLE: Style = Style {
        depth_limit: CONSOLE_DEPTH,
        cords: false,
        bitsz: false,
        color: false,
        trace: false,
    };

    /// Traces, without colour.
    pub const TRACE: Style = Style {
        depth_limit: TRACE_DEPTH,
        cords: true,
        bitsz: false,
        color: false,
        trace: true,
    };
}

/// The memory for the list of pending parts ran out. Part of the text has been written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfMemory;

/// Prints `v` on level 1, without a line feed.
pub fn show(v: Value, style: &Style, sink: &mut dyn Sink) -> Result<(), OutOfMemory> {
    let todo = Vec::new();
    Printer { style, sink, todo }.run(v)
}

/// Prints `v` on level 1 and a line feed. With colours, the line feed of a number stands inside
/// the colour (chapter 04 §8): the reference implementation prints it so, and golden files show it.
pub fn show_line(v: Value, style: &Style, sink: &mut dyn Sink) -> Result<(), OutOfMemory> {
    if !(style.color && ends_in_number(v, style)) {
        show(v, style, sink)?;
        sink.bytes(b"\n");
        return Ok(());
    }
    let mut n = v;
    while n.is_pin() {
        sink.bytes(b"#");
        n = n.item();
    }
    sink.bytes(NUMBER.as_bytes());
    number(n, style, sink);
    sink.bytes(b"\n");
    sink.bytes(RESET.as_bytes());
    Ok(())
}

const NUMBER: &str = "\x1b[1;35m";
const WORD: &str = "\x1b[1;34m";
const TEXT: &str = "\x1b[1;32m";
const NAME: &str = "\x1b[1;31m";
const RESET: &str = "\x1b[0m";

/// Whether `v` is a number shown as one, or pins around such a number.
fn ends_in_number(v: Value, style: &Style) -> bool {
    let mut n = v;
    while n.is_pin() {
        n = n.item();
        if style.trace && n.is_nat() && bare_word(n) {
            return false;
        }
    }
    n.is_nat() && !(style.cords && is_text(n))
}

/// What is left to print, innermost last.
enum Todo {
    /// Fixed text.
    Bytes(&'static [u8]),
    /// The value, on this level.
    Show(Value, u32),
    /// The parts from `next` on of the object in the first field, on this level, each after a
    /// space unless it is the first argument of a closure.
    Parts(Value, usize, u32),
    /// The brackets and arguments of a closure on this level, whose head has been printed.
    Row(Value, u32),
}

struct Printer<'a> {
    style: &'a Style,
    sink: &'a mut dyn Sink,
    todo: Vec<Todo>,
}

impl Printer<'_> {
    fn run(&mut self, v: Value) -> Result<(), OutOfMemory> {
        self.value(v, 1)?;
        while let Some(next) = self.todo.pop() {
            if self.sink.full() {
                break;
            }
            match next {
                Todo::Bytes(bytes) => self.sink.bytes(bytes),
                Todo::Show(v, d) => self.value(v, d)?,
                Todo::Parts(v, i, d) => self.part(v, i, d)?,
                Todo::Row(v, d) => self.row(v, d)?,
            }
        }
        Ok(())
    }

    fn later(&mut self, todo: Todo) -> Result<(), OutOfMemory> {
        self.todo.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.todo.push(todo);
        Ok(())
    }

    /// Prints `v` on level `d`, or its beginning, leaving the rest in `todo`.
    fn value(&mut self, v: Value, d: u32) -> Result<(), OutOfMemory> {
        let (mut v, mut d) = (v, d);
        while v.is_pin() {
            if let Some(name) = pin_name(v) {
                return self.name(name);
            }
            self.sink.bytes(b"#");
            v = v.item();
            d = d.saturating_add(1);
            if self.style.trace && v.is_nat() && bare_word(v) {
                bytes_of(v, |bytes| self.sink.bytes(bytes));
                return Ok(());
            }
        }
        if v.is_nat() {
            let style = *self.style;
            self.nat(v, &style);
            Ok(())
        } else if v.is_law() {
            self.law(v, d)
        } else if v.is_closure() {
            self.later(Todo::Row(v, d))?;
            if v.head() == Value::ZERO {
                return Ok(());
            }
            self.later(Todo::Show(v.head(), d.saturating_add(1)))
        } else {
            self.cell(v, d)
        }
    }

    fn law(&mut self, v: Value, d: u32) -> Result<(), OutOfMemory> {
        let style = *self.style;
        self.nat(
            v.law_name().cast(),
            &Style {
                cords: true,
                ..style
            },
        );
        self.sink.bytes(b"(");
        self.nat(v.law_arity().cast(), &style);
        self.sink.bytes(b")");
        if d < BODY_DEPTH {
            self.sink.bytes(b"=>");
            self.later(Todo::Show(v.law_body(), d + 1))?;
        }
        Ok(())
    }

    /// What follows the head of a closure.
    fn row(&mut self, v: Value, d: u32) -> Result<(), OutOfMemory> {
        let normal = v.header().is(Kind::ClosureNf);
        let (open, close): (&[u8], &'static [u8]) =
            if normal { (b"[", b"]") } else { (b"{", b"}") };
        self.sink.bytes(open);
        if d >= self.style.depth_limit {
            self.sink.bytes(b"..");
            self.sink.bytes(close);
            return Ok(());
        }
        self.later(Todo::Bytes(close))?;
        self.later(Todo::Parts(v, 1, d + 1))
    }

    /// One part of a closure or cell, and the rest later.
    fn part(&mut self, v: Value, i: usize, d: u32) -> Result<(), OutOfMemory> {
        if i >= part_count(v) {
            return Ok(());
        }
        if !(v.is_closure() && i == 1) {
            self.sink.bytes(b" ");
        }
        self.later(Todo::Parts(v, i + 1, d))?;
        self.value(part_at(v, i), d)
    }

    /// A cell, with all the cells that are the first part of it, of its first part, and so on:
    /// they are on the same level.
    fn cell(&mut self, v: Value, d: u32) -> Result<(), OutOfMemory> {
        if d >= self.style.depth_limit {
            self.sink.bytes(b"(..)");
            return Ok(());
        }
        let (mut v, mut left) = (v, spine(v));
        while v.is_thunk() {
            if left == 0 {
                self.sink.bytes(b"(..)");
                return Ok(());
            }
            left -= 1;
            self.sink.bytes(b"(");
            self.sink.bytes(mark(v));
            self.later(Todo::Bytes(b")"))?;
            if part_count(v) > 1 {
                self.later(Todo::Parts(v, 1, d + 1))?;
            }
            v = part_at(v, 0);
        }
        self.value(v, d)
    }

    fn nat(&mut self, n: Value, style: &Style) {
        if !style.cords || !is_text(n) {
            self.paint(NUMBER);
            number(n, style, self.sink);
        } else if all_bytes(n, is_word_byte) {
            self.paint(WORD);
            self.sink.bytes(b"%");
            bytes_of(n, |bytes| self.sink.bytes(bytes));
        } else {
            self.paint(TEXT);
            self.sink.bytes(b"\"");
            bytes_of(n, |bytes| self.sink.bytes(bytes));
            self.sink.bytes(b"\"");
        }
        self.paint(RESET);
    }

    fn name(&mut self, name: Value) -> Result<(), OutOfMemory> {
        self.paint(NAME);
        bytes_of(name, |bytes| self.sink.bytes(bytes));
        self.paint(RESET);
        Ok(())
    }

    fn paint(&mut self, escape: &'static str) {
        if self.style.color {
            self.sink.bytes(escape.as_bytes());
        }
    }
}

/// Number of parts of a closure (its head is part 0) or cell that are shown.
fn part_count(v: Value) -> usize {
    if v.is_closure() {
        return v.size() + 1;
    }
    match ThunkKind::shown(v.thunk_kind()) {
        ThunkKind::DONE | ThunkKind::HEAD | ThunkKind::HOLE | ThunkKind::RETHROW => 1,
        _ => v.header().words().saturating_sub(1).max(1),
    }
}

/// Part `i` of a closure or cell. The words of a cell under evaluation or of one that rethrows are
/// not its parts any more, and 0 stands for them.
fn part_at(v: Value, i: usize) -> Value {
    if v.is_closure() {
        return v.field(i);
    }
    let kind = ThunkKind::shown(v.thunk_kind());
    if kind == ThunkKind::HOLE || kind == ThunkKind::RETHROW || v.header().words() < 2 {
        return Value::ZERO;
    }
    v.field(1 + i)
}

fn mark(cell: Value) -> &'static [u8] {
    match ThunkKind::shown(cell.thunk_kind()) {
        ThunkKind::HEAD => b"HEAD ",
        ThunkKind::HOLE | ThunkKind::RETHROW => b"H.",
        _ => b"",
    }
}

/// How many cells to open from `v` along first parts: all of them, unless the way leads back to
/// itself (a seed in graph mode can say `x = (x 1)`), in which case enough to show the cycle.
///
/// Brent's cycle detection ("An improved Monte Carlo factorization algorithm", 1980).
fn spine(v: Value) -> usize {
    let (mut mark, mut cell) = (v, v);
    let (mut steps, mut power) = (0, 1);
    loop {
        cell = part_at(cell, 0);
        steps += 1;
        if !cell.is_thunk() {
            return usize::MAX;
        }
        if cell == mark {
            return steps;
        }
        if steps == power {
            mark = cell;
            power *= 2;
        }
    }
}

/// The name of the law in a pin, if the name is text.
fn pin_name(pin: Value) -> Option<Value> {
    let item = pin.item();
    (item.is_law() && is_text(item.law_name().cast())).then(|| item.law_name())
}

/// Calls `f` with the bytes of a natural, least significant first, in order, in pieces.
fn bytes_of(n: Value, mut f: impl FnMut(&[u8])) {
    let mut space = [0];
    let limbs = n.limbs(&mut space);
    let mut left = nat::byte_len(limbs);
    for limb in limbs {
        let count = left.min(8);
        f(&limb.to_le_bytes()[..count as usize]);
        left -= count;
    }
}

fn all_bytes(n: Value, good: impl Fn(u8) -> bool) -> bool {
    let mut space = [0];
    let limbs = n.limbs(&mut space);
    let mut left = nat::byte_len(limbs);
    limbs.iter().all(|limb| {
        let count = left.min(8);
        left -= count;
        limb.to_le_bytes()[..count as usize]
            .iter()
            .all(|b| good(*b))
    })
}

/// Text: at least two bytes, all of them printable ASCII or line feeds (chapter 04 §5.3).
pub fn is_text(n: Value) -> bool {
    !matches!(n.small(), Some(0..=255)) && all_bytes(n, |b| matches!(b, 0x20..=0x7e | b'\n'))
}

fn is_word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// Whether a trace shows a pin of `n` as `#` and bare bytes.
fn bare_word(n: Value) -> bool {
    matches!(n.small(), Some(1..=super::MAX_DIRECT)) && all_bytes(n, |b| b.is_ascii_alphanumeric())
}

/// A natural as a number: decimal below 2^63, else hexadecimal.
fn number(n: Value, style: &Style, sink: &mut dyn Sink) {
    match n.small() {
        Some(small @ 0..=super::MAX_DIRECT) => decimal(small, sink),
        _ if style.bitsz => {
            sink.bytes(b"n");
            decimal(n.bit_len(), sink);
            sink.bytes(b"(");
            hexadecimal(n, b".", sink);
            sink.bytes(b")");
        }
        _ => {
            sink.bytes(b"0x");
            hexadecimal(n, b"", sink);
        }
    }
}

/// Writes `n` in decimal.
pub fn decimal(n: u64, sink: &mut dyn Sink) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = n;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return sink.bytes(&digits[at..]);
        }
    }
}

/// Writes the lowest `digits` (at most 16) hexadecimal digits of `limb`.
pub fn hex_word(limb: u64, digits: usize, sink: &mut dyn Sink) {
    let mut text = [0; 16];
    for (i, digit) in text.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(limb >> (60 - 4 * i)) as usize & 15];
    }
    sink.bytes(&text[16 - digits..]);
}

/// Writes a nonzero natural in hexadecimal, `separator` between groups of 16 digits.
fn hexadecimal(n: Value, separator: &[u8], sink: &mut dyn Sink) {
    let mut space = [0];
    let limbs = nat::trim(n.limbs(&mut space));
    for (i, limb) in limbs.iter().enumerate().rev() {
        if i + 1 < limbs.len() {
            sink.bytes(separator);
            hex_word(*limb, 16, sink);
        } else {
            hex_word(*limb, 16 - (limb.leading_zeros() / 4) as usize, sink);
        }
    }
}

#[cfg(test)]
mod tests;
