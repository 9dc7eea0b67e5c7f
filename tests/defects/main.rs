//! Defects of the reference implementation that the specification lists: each has a test that it
//! does not exist here. R1 to R23: chapter 01, section 10; D1 to D21: chapter 02, section 8;
//! C1 to C10: chapter 04, 9.3. The names of the tests begin with the identifiers.
//!
//! Invariants:
//! - the inputs are those of the lists where these give one;
//! - small inputs run in both modes, inputs whose size is the point run as shipped.

#[path = "../support/mod.rs"]
mod support;

mod chapter01;
mod chapter02;
mod chapter04;
