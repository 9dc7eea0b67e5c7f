//! Strict jets: bodies known to mean what their name says (00 §25).
//!
//! Invariants:
//! - A hash is over the structure of name, arity and body, pins seen through, and does not depend on
//!   addresses; the list holds hashes only.
//! - A body without its hash here runs as it is.

use crate::value::Value;

/// Whether a law's body is known to compute what the operation of its name does.
pub fn is_known_body(_law: Value) -> bool {
    false
}
