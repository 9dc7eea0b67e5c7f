//! Random values with sharing: written, read and compared; the writer's choices against the rules
//! of the canonical form.

use super::super::graph::Id;
use super::super::{Accept, Graph, Node, Version, check_with, encode};
use super::model::{Model, Tree};
use proptest::prelude::*;
use std::collections::HashMap;
use std::vec::Vec;

/// How to make the next node from those made so far.
#[derive(Clone, Debug)]
enum Step {
    Param,
    Law,
    Nat(Vec<u64>),
    Cell(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let nat = prop_oneof![
        3 => (0u64..4).prop_map(|value| std::vec![value]),
        1 => (0u64..300).prop_map(|value| std::vec![value]),
        1 => (0u32..64, any::<u64>()).prop_map(|(shift, value)| std::vec![value >> shift]),
        1 => prop::collection::vec(any::<u64>(), 0..4),
    ];
    prop_oneof![
        1 => Just(Step::Param),
        1 => Just(Step::Law),
        3 => nat.prop_map(Step::Nat),
        9 => (any::<usize>(), any::<usize>()).prop_map(|(head, arg)| Step::Cell(head, arg)),
    ]
}

/// Carries the steps out. Cells prefer recent nodes, so that values get deep and shared. The value
/// is the last node, or with `all` one that has every node in it.
fn make(steps: &[Step], all: bool, graph: &mut Graph) -> Id {
    let mut made = std::vec![graph.param()];
    let pick = |made: &[Id], choice: usize| {
        let back = if choice.is_multiple_of(3) {
            choice / 3
        } else {
            choice / 3 % 4
        };
        made[made.len() - 1 - back % made.len()]
    };
    for step in steps {
        let id = match step {
            Step::Param => graph.param(),
            Step::Law => graph.law_constructor().unwrap(),
            Step::Nat(limbs) => graph.nat(limbs).unwrap(),
            Step::Cell(head, arg) => {
                let (head, arg) = (pick(&made, *head), pick(&made, *arg));
                graph.cell(head, arg).unwrap()
            }
        };
        made.push(id);
    }
    let last = made.len() - 1;
    let used = if all { &made[..] } else { &made[last..] };
    used[1..]
        .iter()
        .fold(used[0], |value, id| graph.cell(value, *id).unwrap())
}

/// The value made in another graph, in another order: the outcome must not depend on it.
fn copy(from: &Graph, id: Id, to: &mut Graph, done: &mut HashMap<Id, Id>) -> Id {
    if let Some(id) = done.get(&id) {
        return *id;
    }
    let new = match from.node(id) {
        Node::Param => to.param(),
        Node::Nat(limbs) => to.nat(limbs).unwrap(),
        Node::Cell(head, argument) => {
            let argument = copy(from, argument, to, done);
            let head = copy(from, head, to, done);
            to.cell(head, argument).unwrap()
        }
    };
    done.insert(id, new);
    new
}

/// Adds, for each entry and each argument position, how often it is used by distinct cells.
fn count(tree: &Tree, uses: &mut [usize]) {
    uses[tree.entry] += 1;
    tree.args.iter().for_each(|arg| count(arg, uses));
}

/// Positions of fragments in the order in which a reader meets them.
fn met(tree: &Tree, base: usize, order: &mut Vec<usize>) {
    order.extend((tree.entry >= base).then_some(tree.entry));
    tree.args.iter().for_each(|arg| met(arg, base, order));
}

/// Puts fragments in the order in which they are complete when walking from the last one.
fn complete(model: &Model, fragment: usize, done: &mut Vec<usize>) {
    let mut order = Vec::new();
    met(
        &model.fragments[fragment - model.base()],
        model.base(),
        &mut order,
    );
    for inner in order {
        if !done.contains(&inner) {
            complete(model, inner, done);
        }
    }
    done.push(fragment);
}

/// The rules of the canonical form, by which one file only can denote the value.
fn assert_canonical(file: &[u8]) {
    let model = Model::read(file).unwrap();
    let mut uses = std::vec![0; model.base() + model.fragments.len()];
    model
        .fragments
        .iter()
        .for_each(|tree| count(tree, &mut uses));
    let last = uses.len() - 1;
    for (position, uses) in uses.into_iter().enumerate() {
        let needed = if position < model.base() { 1 } else { 2 };
        let unused = position < model.params && model.version == 2 && model.params == 2;
        assert!(uses >= needed || position == last || unused, "{model:?}");
    }
    if !model.fragments.is_empty() {
        let mut done = Vec::new();
        complete(&model, last, &mut done);
        assert_eq!(done, (model.base()..=last).collect::<Vec<_>>());
    }
    assert!(model.fragments.iter().all(|tree| !tree.args.is_empty()));
    assert!(model.padding.len() < 64 && !model.padding.contains('1'));
    assert_eq!(file.len() % 8, 0);
    assert_eq!(model.write(), file);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn values_survive_both_versions(
        steps in prop::collection::vec(step(), 0..60),
        all in any::<bool>(),
    ) {
        let mut graph = Graph::new();
        let value = make(&steps, all, &mut graph);
        let mut other = Graph::new();
        let same = copy(&graph, value, &mut other, &mut HashMap::new());
        for version in [Version::V1, Version::V2, Version::V1] {
            let file = encode(&graph, value, version).unwrap();
            prop_assert_eq!(&encode(&other, same, version).unwrap(), &file);
            let plan = check_with(&file, Accept { strict: true, graphs: false }).unwrap();
            prop_assert_eq!(graph.load(&file, &plan).unwrap(), value);
            prop_assert_eq!(Model::read(&file).unwrap().intern(&mut graph), value);
            assert_canonical(&file);
        }
    }
}
