//! A seed as text for people.
//!
//! Positions are written `%12`; every entry is on a line of its own, in table order:
//!
//! ```text
//! version 1, parameters 1, numbers 3, fragments 2, applications 4
//! %0 = <0>
//! %1 = 3290219 "k42"
//! %2 = 42 "*"
//! %3 = 1
//! %4 = (%0 %3)
//! %5 = (%4 %1 %3 %2)
//! ```
//!
//! Invariants:
//! - the last line is the result;
//! - the text is linear in the length of the seed: big numbers are shown in hexadecimal.

use super::build::BuildError;
use super::header::{Limbs, Plan};
use super::nodes::{Event, Nodes};
use core::fmt::{self, Write};

/// Writes the seed `bytes`, from which `plan` was made, as text to `out`.
///
/// Errors: those of `out`; errors of the seed only if it is not the one that was checked.
pub fn dump(bytes: &[u8], plan: &Plan, out: &mut dyn Write) -> Result<(), BuildError<fmt::Error>> {
    dump_leaves(bytes, plan, out).map_err(BuildError::Builder)?;
    let mut nodes = Nodes::new(bytes, plan);
    let mut begins = true;
    while let Some(event) = nodes.next()? {
        if begins {
            write!(out, "%{} = ", plan.base() + nodes.fragment()).map_err(BuildError::Builder)?;
        }
        begins = event == Event::End;
        dump_event(event, nodes.depth(), out).map_err(BuildError::Builder)?;
    }
    Ok(())
}

/// The summary, the parameters and the numbers.
fn dump_leaves(bytes: &[u8], plan: &Plan, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{plan}")?;
    for index in 0..plan.params() {
        let param = if plan.is_law_constructor(index) {
            "<1>"
        } else {
            "<0>"
        };
        writeln!(out, "%{index} = {param}")?;
    }
    for (position, number) in (plan.params()..).zip(plan.number_list(bytes)) {
        write!(out, "%{position} = ")?;
        dump_nat(number.limbs, out)?;
    }
    Ok(())
}

/// One step of a fragment, `depth` being the open nodes after it.
fn dump_event(event: Event, depth: usize, out: &mut dyn Write) -> fmt::Result {
    match event {
        Event::Head { position, args: 0 } if depth == 0 => write!(out, "%{position}"),
        Event::Head { position, args: 0 } => write!(out, " %{position}"),
        Event::Head { position, .. } if depth == 1 => write!(out, "(%{position}"),
        Event::Head { position, .. } => write!(out, " (%{position}"),
        Event::Apply { left: 0 } => out.write_str(")"),
        Event::Apply { .. } => Ok(()),
        Event::End => out.write_str("\n"),
    }
}

/// A number in decimal, or in hexadecimal from 2^64 on; and as a string, if it looks like one.
fn dump_nat(limbs: Limbs<'_>, out: &mut dyn Write) -> fmt::Result {
    let bytes = limbs.as_bytes();
    if let Some(value) = limbs.to_u64() {
        write!(out, "{value}")?;
    } else {
        out.write_str("0x")?;
        for (index, byte) in bytes.iter().rev().enumerate() {
            if index == 0 {
                write!(out, "{byte:x}")?
            } else {
                write!(out, "{byte:02x}")?
            }
        }
    }
    let printable = |byte: &u8| matches!(byte, b' '..=b'~');
    if !bytes.is_empty() && bytes.iter().all(printable) {
        out.write_str(" \"")?;
        for byte in bytes {
            out.write_char(char::from(*byte))?;
        }
        out.write_str("\"")?;
    }
    out.write_str("\n")
}
