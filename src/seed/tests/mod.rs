//! Tests of the seed format: the vectors and examples of the specification, round trips, and files
//! made to do harm; against a naive model.

mod hostile;
mod model;
mod round_trip;
mod shapes;
mod vectors;

use super::{Graph, Id, Node};
use std::format;
use std::string::String;

/// A value as applications of two parts; numbers in decimal, big ones through `u128`. Recurses,
/// and ignores sharing: for small values.
fn show(graph: &Graph, id: Id) -> String {
    match graph.node(id) {
        Node::Param => String::from("<0>"),
        Node::Nat(limbs) => {
            assert!(limbs.len() <= 2);
            let value = limbs
                .iter()
                .rev()
                .fold(0u128, |sum, limb| sum << 64 | u128::from(*limb));
            format!("{value}")
        }
        Node::Cell(head, argument) => format!("({} {})", show(graph, head), show(graph, argument)),
    }
}
