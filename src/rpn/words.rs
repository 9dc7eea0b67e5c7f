//! What each word of the console does: chapter 04 §3.
//!
//! Invariants:
//! - A word looks whether it has its values before it does anything.
//! - Console arithmetic does not evaluate: an operand is a natural already, or it is refused. A cell
//!   that is done counts as its result, since a collection may put that in its place at any time.
//! - No value is held across a call of the machine: values are named by their place on the stack.

use super::{COLLECT_AFTER, Console, Ended, report};
use crate::nat;
use crate::value::Value;
use alloc::vec;

/// Largest nesting limit `pdepth` takes.
const MAX_DEPTH: u64 = i32::MAX as u64;

/// Arithmetic done limb by limb: there are no operations for it.
type Bitwise = fn(&mut [u64], &[u64], &[u64]);

impl Console<'_> {
    /// Executes a command of one byte.
    pub(super) fn command(&mut self, byte: u8) -> Result<(), Ended> {
        match byte {
            b'A' => self.apply(false),
            b'R' => self.apply(true),
            b'L' => self.law(),
            b'F' => self.force(),
            b'P' => self.pin(),
            b'D' => self.copy(1, 0),
            b'E' => self.eval(),
            b'.' => self.show_top(true),
            b'_' => self.show_top(false),
            b'?' => self.show_all(),
            b'\\' => {
                self.print(b"\n");
                Ok(())
            }
            b'+' => self.operation("+", "Add", &[1, 0]),
            b'-' => self.operation("-", "Sub", &[1, 0]),
            b'*' => self.operation("*", "Mul", &[1, 0]),
            b'/' => self.operation("/", "Div", &[1, 0]),
            b'<' => self.operation("<", "Lsh", &[1, 0]),
            b'>' => self.operation(">", "Rsh", &[1, 0]),
            b'|' => self.bitwise("|", nat::or),
            b'&' => self.bitwise("&", nat::and),
            b'^' => self.bitwise("^", nat::xor),
            b'#' => self.shift_digit(),
            _ => Err(Ended::Rejected),
        }
    }

    /// Executes a word.
    pub(super) fn word(&mut self, word: &[u8]) -> Result<(), Ended> {
        match word {
            b"dup" => self.copy(1, 0),
            b"drop" | b"pop" => self.drop(),
            b"swap" => self.swap(),
            b"over" => self.copy(2, 1),
            b"push" => self.pick(),
            b"app" => self.apply(false),
            b"rap" => self.apply(true),
            b"eval" => self.eval(),
            b"force" => self.force(),
            b"pin" => self.pin(),
            b"law" => self.law(),
            b"sub" => self.operation("sub", "Sub", &[1, 0]),
            b"inc" => self.operation("inc", "Inc", &[0]),
            b"dec" => self.operation("dec", "Dec", &[0]),
            b"buffer" => self.buffer(),
            b"opload" => self.operation("opload", "Load", &[0, 1, 2]),
            b"cords" => {
                self.style.cords = true;
                Ok(())
            }
            b"bitsz" => {
                self.style.bitsz = true;
                self.machine.tracing().bitsz = true;
                Ok(())
            }
            b"pdepth" => self.print_depth(),
            b"gc" => Ok(self.machine.collect()?),
            b"memcheck" => self.machine.verify().map_err(Ended::Unsound),
            b"showheap" => self.show_heap(),
            _ => {
                self.print(b"unknown word: ");
                self.print(word);
                self.print(b"\nbad input\n");
                Err(Ended::Rejected)
            }
        }
    }

    /// Ends the console unless there are `n` values.
    fn need(&mut self, n: usize) -> Result<(), Ended> {
        if self.depth() >= n {
            return Ok(());
        }
        self.print(b"stack underflow");
        Err(Ended::Rejected)
    }

    /// The evaluated natural `place` places below the top.
    fn natural(&self, word: &'static str, place: usize) -> Result<Value, Ended> {
        let v = self.machine.top(place).resolve();
        if v.is_nat() {
            Ok(v)
        } else {
            Err(Ended::NotANatural(word))
        }
    }

    /// Pushes the value at `place`, when there are `n`.
    fn copy(&mut self, n: usize, place: usize) -> Result<(), Ended> {
        self.need(n)?;
        self.machine.push(self.machine.top(place));
        Ok(())
    }

    fn drop(&mut self) -> Result<(), Ended> {
        self.need(1)?;
        self.machine.drop_top(1);
        Ok(())
    }

    fn swap(&mut self) -> Result<(), Ended> {
        self.need(2)?;
        let (a, b) = (self.machine.top(1), self.machine.top(0));
        self.machine.set_top(1, b);
        self.machine.set_top(0, a);
        Ok(())
    }

    /// `push`: x_n … x_0 n -- x_n … x_0 x_n.
    fn pick(&mut self) -> Result<(), Ended> {
        self.need(1)?;
        let n = self.natural("push", 0)?.saturated();
        let place = usize::try_from(n).unwrap_or(usize::MAX);
        self.need(place.saturating_add(2))?;
        self.machine.set_top(0, self.machine.top(place + 1));
        Ok(())
    }

    fn apply(&mut self, reversed: bool) -> Result<(), Ended> {
        self.need(2)?;
        if reversed {
            self.swap()?;
        }
        Ok(self.machine.make_app(1)?)
    }

    fn eval(&mut self) -> Result<(), Ended> {
        self.need(1)?;
        self.flush()?;
        self.machine.eval_top()?;
        self.collect_sometimes()
    }

    fn force(&mut self) -> Result<(), Ended> {
        self.need(1)?;
        self.flush()?;
        self.machine.force_top()?;
        self.collect_sometimes()
    }

    /// Done cells are seen until a collection, so the moment of it is fixed here: this rule shows
    /// all golden files as they are.
    fn collect_sometimes(&mut self) -> Result<(), Ended> {
        if self.machine.allocated_since_collection() > COLLECT_AFTER {
            self.machine.collect()?;
        }
        Ok(())
    }

    fn pin(&mut self) -> Result<(), Ended> {
        self.need(1)?;
        self.flush()?;
        Ok(self.machine.pin_top()?)
    }

    fn law(&mut self) -> Result<(), Ended> {
        self.need(3)?;
        self.flush()?;
        Ok(self.machine.make_law()?)
    }

    fn buffer(&mut self) -> Result<(), Ended> {
        self.need(1)?;
        self.natural("buffer", 0)?;
        Ok(self.machine.make_buffer()?)
    }

    /// Replaces the naturals on top by the result of an operation, whose operands are the values at
    /// `places`: an application of `<15>` to a row, evaluated. So the operations alone know about
    /// limits.
    fn operation(&mut self, word: &'static str, name: &str, places: &[usize]) -> Result<(), Ended> {
        self.need(places.len())?;
        for place in places {
            self.natural(word, *place)?;
        }
        let (machine, count) = (&mut *self.machine, places.len());
        machine.push(machine.nth(self.base - 1));
        machine.push(name_of(name));
        for (pushed, place) in places.iter().enumerate() {
            machine.push(machine.top(place + 2 + pushed));
        }
        machine.make_row(count)?;
        machine.make_app(1)?;
        machine.eval_top()?;
        machine.set_top(count, machine.top(0));
        machine.drop_top(count);
        Ok(())
    }

    /// `#`: 16 times the top.
    fn shift_digit(&mut self) -> Result<(), Ended> {
        self.need(1)?;
        self.natural("#", 0)?;
        self.machine.push(Value::direct(4));
        self.operation("#", "Lsh", &[1, 0])
    }

    fn bitwise(&mut self, word: &'static str, operation: Bitwise) -> Result<(), Ended> {
        self.need(2)?;
        let (a, b) = (self.natural(word, 1)?, self.natural(word, 0)?);
        let (mut space_a, mut space_b) = ([0], [0]);
        let (a, b) = (a.limbs(&mut space_a), b.limbs(&mut space_b));
        let mut out = vec![0; a.len().max(b.len())];
        operation(&mut out, a, b);
        self.machine.drop_top(2);
        Ok(self.machine.push_nat(nat::trim(&out))?)
    }

    fn show_top(&mut self, drop: bool) -> Result<(), Ended> {
        if self.depth() == 0 {
            return Ok(());
        }
        self.show(self.machine.top(0))?;
        self.machine.drop_top(drop as usize);
        Ok(())
    }

    fn show_all(&mut self) -> Result<(), Ended> {
        for i in self.base..self.machine.depth() {
            self.show(self.machine.nth(i))?;
        }
        Ok(())
    }

    fn print_depth(&mut self) -> Result<(), Ended> {
        self.need(1)?;
        let v = self.machine.top(0).resolve();
        if !v.is_nat() || v.saturated() > MAX_DEPTH {
            self.print(b"impossible printer depth\n");
            return Err(Ended::Rejected);
        }
        self.style.depth_limit = v.saturated() as u32;
        self.machine.drop_top(1);
        Ok(())
    }

    fn show_heap(&mut self) -> Result<(), Ended> {
        let roots = (self.base..self.machine.depth()).map(|i| self.machine.nth(i));
        Ok(report::heap(self.machine, roots, &self.style, self.out)?)
    }
}

/// The natural whose bytes are `name`, at most 7 of them.
fn name_of(name: &str) -> Value {
    let bytes = name.bytes().rev();
    Value::direct(bytes.fold(0, |n, byte| n << 8 | u64::from(byte)))
}
