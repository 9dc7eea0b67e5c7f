//! Makes the value of a seed on a machine: the only file here that knows how values lie in memory.
//!
//! Invariants:
//! - The table of the seed lies on the machine's stack from the place where loading began; operands
//!   lie above it. So everything made is a root, and a collection may happen at any step.
//! - After a success the stack has grown by the result alone, after a failure not at all.

use super::{BuildError, Builder, Limbs, Plan, SeedError};
use crate::machine::{FIXED_WORDS, Machine, Stop};
use crate::os::file;
use crate::value::Value;
use alloc::format;
use alloc::vec::Vec;

/// Words of an application of two parts: header, kind, function, argument.
const CELL_WORDS: u64 = 4;

/// Loads the seed in the file `path` and pushes its value, unevaluated.
///
/// # Errors
/// E_IO when the file cannot be read, otherwise as [`load_seed`].
pub fn load_file(machine: &mut Machine, path: &[u8]) -> Result<(), SeedError> {
    let bytes = read_file(path)?;
    load_seed(machine, &bytes)
}

/// The bytes of the seed in the file `path`.
///
/// # Errors
/// E_IO.
pub fn read_file(path: &[u8]) -> Result<Vec<u8>, SeedError> {
    file::read_whole(path).map_err(|why| SeedError::io(format!("{why}")))
}

/// Pushes the value of the seed `bytes`, unevaluated.
///
/// # Errors
/// Those of a malformed seed; E_MEMORY when the value does not fit in the machine.
pub fn load_seed(machine: &mut Machine, bytes: &[u8]) -> Result<(), SeedError> {
    load_with(machine, bytes, &[])
}

/// As [`load_seed`] for a seed that refers to values from outside: each number of `known` stands for
/// the value at the place of the stack beside it.
///
/// # Errors
/// As [`load_seed`].
pub fn load_with(
    machine: &mut Machine,
    bytes: &[u8],
    known: &[(u64, usize)],
) -> Result<(), SeedError> {
    let plan = super::check(bytes)?;
    let base = machine.depth();
    match build(machine, bytes, &plan, known) {
        Ok(position) => {
            let result = machine.nth(base + position as usize);
            machine.drop_top(machine.depth() - base);
            machine.push(result);
            Ok(())
        }
        Err(error) => {
            machine.drop_top(machine.depth() - base);
            Err(error)
        }
    }
}

fn build(
    machine: &mut Machine,
    bytes: &[u8],
    plan: &Plan,
    known: &[(u64, usize)],
) -> Result<u64, SeedError> {
    let base = machine.depth();
    let room = plan.entries().saturating_add(plan.depth() as u64 + 4);
    let room = usize::try_from(room).unwrap_or(usize::MAX / 16);
    machine.ensure_stack(room).map_err(|_| no_memory())?;
    // One reservation for everything: so a seed too large is refused before anything is built, and
    // nothing is copied on the way. Long naturals are not part of the moving heap.
    let words = CELL_WORDS * plan.cells() + plan.boxed_nats() + plan.boxed_limbs();
    let long = plan.number_list(bytes).map(|n| n.limbs.len() as u64);
    let words = words - long.filter(|len| *len >= FIXED_WORDS as u64).sum::<u64>();
    let words = usize::try_from(words).unwrap_or(usize::MAX);
    machine.reserve(words).map_err(|_| no_memory())?;
    let mut loader = Loader {
        machine,
        base,
        known,
    };
    super::build(bytes, plan, &mut loader).map_err(|error| match error {
        BuildError::Seed(error) => error,
        BuildError::Builder(_) => no_memory(),
    })
}

fn no_memory() -> SeedError {
    SeedError::memory("the value needs more memory than there is")
}

struct Loader<'m> {
    machine: &'m mut Machine,
    /// Where the table begins on the stack.
    base: usize,
    /// Numbers that stand for values, and the places of those.
    known: &'m [(u64, usize)],
}

impl Loader<'_> {
    fn entry(&self, position: u64) -> Value {
        self.machine.nth(self.base + position as usize)
    }
}

impl Builder for Loader<'_> {
    /// Nothing is evaluated, so this is a lack of memory.
    type Error = Stop;

    fn param(&mut self, law: bool) -> Result<(), Stop> {
        self.machine.push(Value::bit(law));
        self.machine.pin_top()
    }

    fn nat(&mut self, limbs: Limbs<'_>) -> Result<(), Stop> {
        match limbs.to_u64() {
            Some(n) => match self.known.iter().find(|(number, _)| *number == n) {
                Some((_, place)) => {
                    self.machine.push(self.machine.nth(*place));
                    Ok(())
                }
                None => self.machine.push_nat(&[n]),
            },
            None => self
                .machine
                .push_nat(&crate::nat::bytes_to_limbs(limbs.as_bytes())),
        }
    }

    fn placeholders(&mut self, count: u64) -> Result<(), Stop> {
        for _ in 0..count {
            self.machine.push(Value::ZERO);
            self.machine.push(Value::ZERO);
            self.machine.make_app(1)?;
        }
        Ok(())
    }

    fn push_entry(&mut self, position: u64) -> Result<(), Stop> {
        self.machine.push(self.entry(position));
        Ok(())
    }

    fn apply(&mut self) -> Result<(), Stop> {
        self.machine.make_app(1)
    }

    /// The operand lies where the table ends: it is the new entry already.
    fn end_fragment(&mut self) -> Result<(), Stop> {
        Ok(())
    }

    fn fill(&mut self, position: u64) -> Result<(), Stop> {
        let cell = self.entry(position);
        cell.set_field(1, self.machine.top(1));
        cell.set_field(2, self.machine.top(0));
        self.machine.drop_top(2);
        Ok(())
    }
}
