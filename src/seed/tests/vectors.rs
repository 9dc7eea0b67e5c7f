//! The vectors and worked examples of the specification, from data files.

use super::super::{Accept, Code, Graph, Version, check, check_with, dump, encode};
use super::model::{Model, bytes_of};
use super::show;
use std::println;
use std::string::{String, ToString};
use std::vec::Vec;

const VECTORS: &str = include_str!("../../../tests/vectors/03-seed.tsv");
const EXAMPLES: &str = include_str!("../../../tests/vectors/03-examples.tsv");

/// A row of a vector file.
struct Vector {
    id: &'static str,
    file: Vec<u8>,
    required: &'static str,
    bit: Option<u64>,
}

/// Reads the notation of the vector files, which they explain themselves.
fn file_of(items: &str) -> Vec<u8> {
    let (mut bytes, mut bits) = (Vec::new(), String::new());
    for item in items.split(' ').filter(|item| *item != "-") {
        let (kind, data) = item.split_once('=').unwrap();
        let (data, times) = data.split_once('*').unwrap_or((data, "1"));
        let data = std::vec![data; times.parse().unwrap()];
        if kind == "bits" {
            bits += &data.concat();
            continue;
        }
        bytes.append(&mut bytes_of(&bits));
        bits.clear();
        for data in data {
            match kind {
                "u64" => bytes.extend(
                    data.split(',')
                        .flat_map(|word| word.parse::<u64>().unwrap().to_le_bytes()),
                ),
                "hex" => bytes.extend(
                    (0..data.len() / 2)
                        .map(|i| u8::from_str_radix(&data[2 * i..2 * i + 2], 16).unwrap()),
                ),
                _ => panic!("unknown kind {kind}"),
            }
        }
    }
    bytes.append(&mut bytes_of(&bits));
    bytes
}

fn vectors(text: &'static str) -> Vec<Vector> {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let [id, file, required, bit] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {row}");
        };
        Vector {
            id,
            file: file_of(file),
            required,
            bit: bit.parse().ok(),
        }
    })
    .collect()
}

fn example(id: &str) -> Vec<u8> {
    vectors(EXAMPLES)
        .into_iter()
        .find(|vector| vector.id == id)
        .unwrap()
        .file
}

/// Checks one vector, and that the model agrees.
fn run(vector: &Vector) {
    let id = vector.id;
    let plan = match check(&vector.file) {
        Ok(plan) => plan,
        Err(error) => {
            assert_eq!(error.code.name(), vector.required, "{id}: {error}");
            assert_eq!(Some(error.bit), vector.bit, "{id}: {error}");
            assert_eq!(Model::read(&vector.file), Err(error.code), "{id}");
            return;
        }
    };
    let mut graph = Graph::new();
    match vector.required {
        "graph" => {
            assert!(plan.is_graph(), "{id}");
            let error = check_with(&vector.file, Accept::TREES).unwrap_err();
            assert_eq!(error.code, Code::Version, "{id}");
            assert_eq!(
                graph.load(&vector.file, &plan).unwrap_err().code,
                Code::Version,
                "{id}"
            );
        }
        // Too deep for the model and for showing.
        "loads" => {
            let value = graph.load(&vector.file, &plan).unwrap();
            assert_eq!(plan.cells() as usize + 2, graph.len(), "{id}");
            let again = encode(&graph, value, Version::V1).unwrap();
            let plan = check_with(&again, Accept::STRICT).unwrap();
            assert_eq!(graph.load(&again, &plan).unwrap(), value, "{id}");
            return;
        }
        shown => {
            let value = graph.load(&vector.file, &plan).unwrap();
            assert_eq!(show(&graph, value), shown, "{id}");
        }
    }
    assert_eq!(
        Model::read(&vector.file).unwrap().write(),
        vector.file,
        "{id}"
    );
}

#[test]
fn all_vectors_hold() {
    let vectors = vectors(VECTORS);
    vectors.iter().for_each(run);
    assert_eq!(vectors.len(), 28);
    println!(
        "seed vectors: {} run, {} passed",
        vectors.len(),
        vectors.len()
    );
}

#[test]
fn all_examples_hold() {
    let examples = vectors(EXAMPLES);
    examples.iter().for_each(run);
    assert_eq!(examples.len(), 38);
    println!(
        "seed examples: {} run, {} passed",
        examples.len(),
        examples.len()
    );
}

#[test]
fn canonical_examples_are_written_byte_for_byte() {
    for id in ["A", "C"] {
        let file = example(id);
        let mut graph = Graph::new();
        let value = graph
            .load(&file, &check_with(&file, Accept::STRICT).unwrap())
            .unwrap();
        assert_eq!(encode(&graph, value, Version::V1).unwrap(), file, "{id}");
    }
}

/// Example B has a fragment that is used once only, so it is well-formed but not canonical; both
/// its versions denote the same value, and that has one canonical file in each version.
#[test]
fn both_versions_of_example_b_are_the_same_value() {
    let mut graph = Graph::new();
    let [one, two] = ["B", "B2"].map(|id| {
        let file = example(id);
        graph
            .load(&file, &check_with(&file, Accept::STRICT).unwrap())
            .unwrap()
    });
    assert_eq!(one, two);
    let file = encode(&graph, one, Version::V1).unwrap();
    assert_eq!(check(&file).unwrap().fragments(), 1);
    let file = encode(&graph, one, Version::V2).unwrap();
    let plan = check_with(&file, Accept::STRICT).unwrap();
    assert_eq!(
        (
            plan.params(),
            plan.numbers(),
            plan.fragments(),
            plan.cells()
        ),
        (2, 3, 1, 3)
    );
}

/// What the model writes is compared with the files above, so this ties the number of cells, the
/// depth and the sizes of numbers to hand-counted figures.
#[test]
fn the_plan_counts_what_building_needs() {
    let plan = check(&example("C")).unwrap();
    assert_eq!((plan.entries(), plan.cells(), plan.depth()), (6, 5, 1));
    assert_eq!((plan.boxed_nats(), plan.boxed_limbs()), (2, 3));
    let graph = check(&example("G")).unwrap();
    assert_eq!((graph.entries(), graph.cells(), graph.depth()), (3, 2, 1));
}

#[test]
fn a_seed_is_dumped_as_text() {
    let shown = |id: &str| {
        let (file, mut text) = (example(id), String::new());
        dump(&file, &check(&file).unwrap(), &mut text).unwrap();
        text
    };
    let expected = "version 1, parameters 1, numbers 3, fragments 2, applications 4\n\
        %0 = <0>\n%1 = 3290219 \"k42\"\n%2 = 42 \"*\"\n%3 = 1\n\
        %4 = (%0 %3)\n%5 = (%4 %1 %3 %2)\n";
    assert_eq!(shown("B"), expected);
    let expected = "version 1, parameters 0, numbers 4, fragments 2, applications 5\n\
        %0 = 0x10000000000000001\n%1 = 9223372036854775808\n%2 = 256\n%3 = 7\n\
        %4 = (%3 %0)\n%5 = (%3 %4 %4 %1 %2)\n";
    assert_eq!(shown("C"), expected);
    let expected = "version 2 (graph), parameters 0, numbers 2, fragments 1, applications 2\n\
        %0 = 7\n%1 = 0\n%2 = (%1 %0 %2)\n";
    assert_eq!(shown("G"), expected);
}

#[test]
fn dumping_shows_nested_and_bare_nodes() {
    let mut text = String::new();
    // (5 (5 6) 7), then a bare reference to it.
    let bits = "bits=001000 bits=0100 bits=110 bits=101 bits=100";
    let file = file_of(&std::format!("u64=0,0,0,3,2 hex=070605 {bits}"));
    dump(&file, &check(&file).unwrap(), &mut text).unwrap();
    assert!(text.ends_with("%3 = (%2 (%2 %1) %0)\n%4 = %3\n"), "{text}");
}

#[test]
fn strict_checking_rejects_what_loaders_tolerate() {
    let cases = [
        (
            "u64=0,1,0,0,0 u64=0",
            "a number is not in its smallest form",
        ),
        (
            "u64=0,1,0,0,0 u64=1 u64=300",
            "a number is not in its smallest form",
        ),
        (
            "u64=0,1,0,0,0 u64=3 u64=1,1,0",
            "a number is not in its smallest form",
        ),
        (
            "u64=0,0,1,0,0 u64=255",
            "a number is not in its smallest form",
        ),
        (
            "u64=0,0,0,2,1 hex=0707 bits=01 bits=0 bits=1 bits=1 bits=0*43",
            "a number occurs twice",
        ),
        ("u64=0,0,0,2,0 hex=0709000000000000", "entry 0 is not used"),
        (
            "u64=1,0,0,0,1 bits=1 bits=0*63",
            "a fragment that is a bare reference",
        ),
        (
            "u64=0,0,0,1,0 hex=05",
            "the length is not a multiple of 8 bytes",
        ),
        (
            "u64=0,0,0,1,0 hex=05 hex=00*15",
            "64 or more bits of padding",
        ),
        (
            "u64=0,0,0,1,0 hex=0500000000000001",
            "the padding is not zero",
        ),
    ];
    for (file, detail) in cases {
        let file = file_of(file);
        assert!(check(&file).is_ok(), "{detail}");
        let error = check_with(&file, Accept::STRICT).unwrap_err();
        assert_eq!(
            (error.code, error.detail.to_string().as_str()),
            (Code::Canon, detail)
        );
    }
}

#[test]
fn errors_are_shown_in_the_fixed_form() {
    let error = check(&file_of("u64=1,0,0,1,1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "E_BYTES: the numbers do not fit in the file (bit 192)"
    );
}
