//! The edges of the encoding: argument counts, scopes, big rows, deep nesting, heavy sharing.

use super::super::graph::Id;
use super::super::{Accept, Graph, Node, Version, check, check_with, encode};
use super::model::{Model, Tree, field, size, width};
use std::vec::Vec;

const BOTH: [Version; 2] = [Version::V1, Version::V2];

/// Encodes, checks strictly, loads again into the same graph, and expects the same node.
fn survives(graph: &mut Graph, id: Id) -> Vec<u8> {
    let [one, _] = BOTH.map(|version| {
        let file = encode(graph, id, version).unwrap();
        let plan = check_with(&file, Accept::STRICT).unwrap();
        assert_eq!(graph.load(&file, &plan).unwrap(), id);
        file
    });
    one
}

/// The table of section 3.1.
#[test]
fn argument_counts_have_the_specified_bits() {
    let table = [
        (0, "1"),
        (1, "01"),
        (2, "0010"),
        (3, "0011"),
        (4, "000100"),
        (5, "000110"),
        (6, "000101"),
        (7, "000111"),
        (8, "00001000"),
        (9, "00001100"),
        (10, "00001010"),
        (15, "00001111"),
        (16, "0000010000"),
        (17, "0000011000"),
        (31, "0000011111"),
        (32, "000000100000"),
    ];
    for (count, bits) in table {
        assert_eq!(size(count), bits);
    }
    let widths = [
        (1, 0),
        (2, 1),
        (3, 2),
        (4, 2),
        (5, 3),
        (8, 3),
        (9, 4),
        (257, 9),
        (3744, 12),
    ];
    for (n, bits) in widths {
        assert_eq!(width(n), bits);
    }
    assert_eq!(field(6, 4), "0110");
}

#[test]
fn every_argument_count_is_read_and_written() {
    let counts = (0..=69).chain(127..=129).chain(255..=257).chain(511..=513);
    let counts = counts.chain([1000, 1023, 1024, 1025, 4095, 4096, 4097, 65_535, 70_000]);
    for count in counts {
        let leaf = |entry| Tree {
            entry,
            args: Vec::new(),
        };
        let model = Model {
            version: 1,
            graph: false,
            params: 1,
            numbers: std::vec![(8, std::vec![9]), (8, std::vec![3])],
            fragments: std::vec![Tree {
                entry: 1,
                args: std::vec![leaf(2); count]
            }],
            padding: Default::default(),
        };
        let file = model.write();
        let mut graph = Graph::new();
        let id = graph.load(&file, &check(&file).unwrap()).unwrap();
        assert_eq!(id, model.intern(&mut graph));
        assert_eq!(args(&graph, id), count);
        survives(&mut graph, id);
    }
}

/// How many arguments the leftmost leaf has.
fn args(graph: &Graph, mut id: Id) -> usize {
    let mut count = 0;
    while let Node::Cell(head, _) = graph.node(id) {
        (id, count) = (head, count + 1);
    }
    count
}

/// Every position is referred to, in three fragments each; widths change between fragments.
#[test]
fn every_scope_is_read_and_written() {
    let sizes = (1..=19)
        .chain(31..=33)
        .chain(63..=65)
        .chain(127..=129)
        .chain(255..=257);
    for entries in sizes.chain([300]) {
        let leaf = |entry| Tree {
            entry,
            args: Vec::new(),
        };
        let fragment = |f| Tree {
            entry: f,
            args: (0..entries + f).map(leaf).collect(),
        };
        let model = Model {
            version: 1,
            graph: false,
            params: 0,
            numbers: (0..entries as u64).rev().map(number).collect(),
            fragments: (0..3).map(fragment).collect(),
            padding: Default::default(),
        };
        let file = model.write();
        let mut graph = Graph::new();
        let id = graph.load(&file, &check(&file).unwrap()).unwrap();
        assert_eq!(id, model.intern(&mut graph));
        let mut canonical = Model::read(&survives(&mut graph, id)).unwrap();
        canonical.padding.clear();
        assert_eq!(canonical.numbers, model.numbers);
    }
}

fn number(value: u64) -> (u8, Vec<u64>) {
    (if value < 256 { 8 } else { 64 }, std::vec![value])
}

#[test]
fn leaves_alone_are_written() {
    let mut graph = Graph::new();
    let param = graph.param();
    assert_eq!(survives(&mut graph, param).len(), 40);
    for limbs in [&[][..], &[255], &[256], &[u64::MAX], &[0, 1], &[1, 2, 3]] {
        let id = graph.nat(limbs).unwrap();
        survives(&mut graph, id);
    }
    let law = graph.law_constructor().unwrap();
    survives(&mut graph, law);
    let file = encode(&graph, law, Version::V2).unwrap();
    assert_eq!((file.len(), file[0]), (40, 2));
}

/// 2^60 leaves in a tree, a few bytes in a file.
#[test]
fn sharing_is_kept() {
    let mut graph = Graph::new();
    let mut id = graph.nat(&[7]).unwrap();
    for _ in 0..60 {
        id = graph.cell(id, id).unwrap();
    }
    let file = survives(&mut graph, id);
    assert!(file.len() <= 208, "{}", file.len());
    assert_eq!(check(&file).unwrap().cells(), 60);
}

/// Lists nested to the right and rows nested to the left, far deeper than a native stack.
#[test]
fn depth_costs_no_native_stack() {
    let mut graph = Graph::new();
    let zero = graph.nat(&[]).unwrap();
    let (mut list, mut row) = (zero, zero);
    for value in 0..300_000 {
        let value = graph.nat(&[value]).unwrap();
        let pair = graph.cell(zero, value).unwrap();
        list = graph.cell(pair, list).unwrap();
        row = graph.cell(row, value).unwrap();
    }
    survives(&mut graph, list);
    survives(&mut graph, row);
    let both = graph.cell(row, list).unwrap();
    survives(&mut graph, both);
}

/// 2z + W would be 2*22 + 21 bits: the row needs a fragment for its inner part.
#[test]
fn a_row_too_long_for_one_node_is_split() {
    let mut graph = Graph::new();
    let mut row = graph.param();
    for value in 0..1u64 << 21 {
        let value = graph.nat(&[value.min(1 << 20)]).unwrap();
        row = graph.cell(row, value).unwrap();
    }
    let file = survives(&mut graph, row);
    assert!(check(&file).unwrap().fragments() > 1);
}
