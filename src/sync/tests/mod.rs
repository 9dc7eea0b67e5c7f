//! Tests of the locks: on the host's threads here, exhaustively in [`exhaustive`], at random in
//! [`random`]; on threads of our own in tests/threads.rs.

mod exhaustive;
mod host;
mod model;
mod random;
