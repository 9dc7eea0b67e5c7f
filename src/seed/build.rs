//! The second pass over a seed: makes the values, by instructions to a builder.
//!
//! A builder is a stack machine with a table. It alone knows where its values are, so a collector
//! may move them between any two instructions; this pass names them by table position only.
//!
//! Invariants:
//! - entries are made in table order, and operands taken from it exist when they are taken;
//! - `apply` finds at least two operands, `end_fragment` exactly one, `fill` exactly two;
//! - the operands number at most `Plan::depth() + 1`, and none are left at the end.

use super::error::SeedError;
use super::header::{Limbs, Plan};
use super::nodes::{Event, Nodes};
use core::fmt;

/// Makes the values of a seed. Instructions come in the order: all parameters, all numbers,
/// placeholders (graphs only), then the fragments.
pub trait Builder {
    /// Why an instruction could not be carried out, for instance for lack of memory.
    type Error;

    /// Appends a parameter to the table: `<1>` (MkLaw) if `law`, else a new `<0>` (MkPin).
    fn param(&mut self, law: bool) -> Result<(), Self::Error>;

    /// Appends a natural number to the table.
    fn nat(&mut self, limbs: Limbs<'_>) -> Result<(), Self::Error>;

    /// Appends `count` empty application cells to the table; each is filled before the end.
    fn placeholders(&mut self, count: u64) -> Result<(), Self::Error>;

    /// Pushes the table entry at `position` as an operand; positions count from 0.
    fn push_entry(&mut self, position: u64) -> Result<(), Self::Error>;

    /// Pops x, then f, and pushes the unevaluated application (f x).
    fn apply(&mut self) -> Result<(), Self::Error>;

    /// Pops the only operand and appends it to the table.
    fn end_fragment(&mut self) -> Result<(), Self::Error>;

    /// Pops x, then f, and makes the placeholder at `position` the application (f x).
    fn fill(&mut self, position: u64) -> Result<(), Self::Error>;
}

/// Why building stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError<E> {
    /// The seed is not the one that was checked, or there is no memory for the walk.
    Seed(SeedError),
    /// The builder could not go on.
    Builder(E),
}

impl<E> From<SeedError> for BuildError<E> {
    fn from(error: SeedError) -> Self {
        BuildError::Seed(error)
    }
}

impl<E: fmt::Display> fmt::Display for BuildError<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Seed(error) => error.fmt(out),
            BuildError::Builder(error) => error.fmt(out),
        }
    }
}

/// Builds the seed `bytes`, from which `plan` was made. Returns the position of the result, which
/// is the last table entry.
///
/// Nothing is evaluated. Sharing is kept: all references to an entry push the same value. If the
/// bytes are not those of the plan, the outcome is an error or another valid value, never a panic.
pub fn build<B: Builder>(
    bytes: &[u8],
    plan: &Plan,
    builder: &mut B,
) -> Result<u64, BuildError<B::Error>> {
    build_leaves(bytes, plan, builder).map_err(BuildError::Builder)?;
    let mut nodes = Nodes::new(bytes, plan);
    while let Some(event) = nodes.next()? {
        let root_done = nodes.depth() == 0;
        match event {
            Event::Head { position, .. } => builder.push_entry(position),
            Event::Apply { left: 0 } if plan.is_graph() && root_done => {
                builder.fill(plan.base() + nodes.fragment())
            }
            Event::Apply { .. } => builder.apply(),
            Event::End if plan.is_graph() => Ok(()),
            Event::End => builder.end_fragment(),
        }
        .map_err(BuildError::Builder)?;
    }
    Ok(plan.entries() - 1)
}

/// Makes the entries before the fragments, and a graph's placeholders.
fn build_leaves<B: Builder>(bytes: &[u8], plan: &Plan, builder: &mut B) -> Result<(), B::Error> {
    for index in 0..plan.params() {
        builder.param(plan.is_law_constructor(index))?;
    }
    for number in plan.number_list(bytes) {
        builder.nat(number.limbs)?;
    }
    if plan.is_graph() {
        builder.placeholders(plan.fragments())?;
    }
    Ok(())
}
