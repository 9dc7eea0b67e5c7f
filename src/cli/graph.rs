//! A value in normal form as a seed.
//!
//! Invariants:
//! - no native recursion, and every object is visited once: what is shared in memory costs once, and
//!   what is equal becomes one node of the graph;
//! - nothing is allocated on the machine, so objects are known by their addresses, and long naturals
//!   are not copied.
//!
//! Safety: naturals are lent to a graph that does not outlive the call, in which nothing is
//! collected.
#![allow(unsafe_code)]

use crate::heap::words::Words;
use crate::seed::{self, Graph, Id, SeedError, Version};
use crate::value::Value;
use alloc::vec::Vec;

/// Limbs from which on a natural is lent to the graph.
const LONG: usize = 64;

/// The seed of `v`, which must be in normal form.
///
/// # Errors
/// E_MEMORY.
pub fn encode(v: Value, version: Version) -> Result<Vec<u8>, SeedError> {
    encode_with(v, version, &[], &mut |_| {})
}

/// As [`encode`], in parts for `sink`.
///
/// # Errors
/// E_MEMORY.
pub fn encode_to(v: Value, version: Version, sink: &mut dyn FnMut(&[u8])) -> Result<(), SeedError> {
    let mut graph = Graph::new();
    let root = Walk::new(&mut graph, &mut |_| {})?.value(v)?;
    seed::encode_to(&graph, root, version, sink)
}

/// As [`encode`], with numbers in the place of the objects of `known`; `pin` is called with each pin
/// once.
///
/// # Errors
/// E_MEMORY.
pub fn encode_with(
    v: Value,
    version: Version,
    known: &[(u64, Value)],
    pin: &mut dyn FnMut(Value),
) -> Result<Vec<u8>, SeedError> {
    let mut graph = Graph::new();
    let mut walk = Walk::new(&mut graph, pin)?;
    for (number, object) in known {
        let id = walk.graph.nat(&[*number])?;
        walk.know(*object, id)?;
    }
    let root = walk.value(v)?;
    seed::encode(&graph, root, version)
}

/// An object some parts of which are nodes already.
struct Open {
    object: Value,
    /// The cells of the parts so far, from the left; `None` before the head of a closure.
    cells: Option<Id>,
    /// The part that comes next.
    next: usize,
}

struct Walk<'g, 'n> {
    graph: &'g mut Graph<'n>,
    law_constructor: Id,
    known: Words,
    open: Vec<Open>,
    pin: &'g mut dyn FnMut(Value),
}

fn no_memory() -> SeedError {
    SeedError::memory("the value is too large to write with the memory there is")
}

impl<'g, 'n> Walk<'g, 'n> {
    fn new(
        graph: &'g mut Graph<'n>,
        pin: &'g mut dyn FnMut(Value),
    ) -> Result<Walk<'g, 'n>, SeedError> {
        let law_constructor = graph.law_constructor()?;
        let (known, open) = (Words::default(), Vec::new());
        Ok(Walk {
            graph,
            law_constructor,
            known,
            open,
            pin,
        })
    }

    /// The node of `v`.
    fn value(&mut self, v: Value) -> Result<Id, SeedError> {
        let mut found = self.meet(v)?;
        while let Some(open) = self.open.pop() {
            found = self.resume(open, found)?;
        }
        found.ok_or_else(no_memory)
    }

    /// The node of `v` if it is known or has no parts; otherwise `v` is opened.
    fn meet(&mut self, v: Value) -> Result<Option<Id>, SeedError> {
        let v = v.resolve();
        if v.is_direct() {
            return self.graph.nat(v.limbs(&mut [0])).map(Some);
        }
        if let Some(id) = self.known.get(v.address() as u64) {
            return Ok(Some(Id::from_word(id)));
        }
        if v.is_nat() {
            let id = if v.header().words() < LONG {
                self.graph.nat(v.limbs(&mut [0]))?
            } else {
                // SAFETY: nothing is collected or written before the graph is gone.
                self.graph.lent_nat(unsafe { v.lent_limbs() })?
            };
            self.know(v, id)?;
            return Ok(Some(id));
        }
        let (param, zero) = (self.graph.param(), Value::ZERO);
        if v.is_pin() && v.item() == zero {
            return Ok(Some(param));
        }
        if v.is_pin() {
            (self.pin)(v);
        }
        let cells = match v {
            _ if v.is_pin() => Some(param),
            _ if v.is_law() => Some(self.law_constructor),
            _ => None,
        };
        self.open.try_reserve(1).map_err(|_| no_memory())?;
        self.open.push(Open {
            object: v,
            cells,
            next: 0,
        });
        Ok(None)
    }

    /// Goes on with an object: `found` is the node of the part before `next`, if it has just become
    /// known. Gives the node of the object when that was the last part.
    fn resume(&mut self, open: Open, found: Option<Id>) -> Result<Option<Id>, SeedError> {
        let Open {
            object,
            mut cells,
            mut next,
        } = open;
        if let Some(part) = found {
            cells = Some(self.join(cells, part)?);
            next += 1;
        }
        while next < part_count(object) {
            // Reserved by the push that this object was popped from.
            self.open.push(Open {
                object,
                cells,
                next,
            });
            let Some(part) = self.meet(object.field(next))? else {
                return Ok(None);
            };
            self.open.pop();
            cells = Some(self.join(cells, part)?);
            next += 1;
        }
        let id = cells.ok_or_else(no_memory)?;
        self.know(object, id)?;
        Ok(Some(id))
    }

    fn join(&mut self, cells: Option<Id>, part: Id) -> Result<Id, SeedError> {
        match cells {
            Some(cells) => self.graph.cell(cells, part),
            None => Ok(part),
        }
    }

    fn know(&mut self, v: Value, id: Id) -> Result<(), SeedError> {
        self.known.reserve().ok_or_else(no_memory)?;
        self.known.insert(v.address() as u64, id.word());
        Ok(())
    }
}

/// Number of payload words that are parts: the item, name, arity and body, or head and arguments.
fn part_count(object: Value) -> usize {
    if object.is_pin() {
        1
    } else if object.is_law() {
        3
    } else {
        object.size() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Machine, Options};
    use crate::prim::ENGINE;
    use crate::rpn::{Console, Ended};
    use crate::seed::{load_file, load_seed};
    use crate::value::print::{Style, show};
    use proptest::prelude::*;

    fn machine(stress: bool) -> Box<Machine> {
        let options = Options {
            stress,
            verify: true,
            stack_bytes: 1 << 26,
            heap_bytes: 1 << 30,
            ..Options::default()
        };
        Machine::new(options, &ENGINE).unwrap()
    }

    /// A machine with the forced value of this script on top.
    fn value_of(script: &str) -> Box<Machine> {
        let (mut machine, mut out) = (machine(false), Vec::new());
        let ended = Console::new(&mut machine, &mut script.as_bytes(), &mut out, load_file).run();
        assert_eq!(ended, Ended::Input, "{script}");
        assert_eq!(machine.force_top(), Ok(()), "{script}");
        machine
    }

    fn text(machine: &Machine) -> String {
        let (mut out, mut style) = (Vec::new(), Style::CONSOLE);
        style.depth_limit = 1000;
        show(machine.top(0), &style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Saves the value of a script, loads it and compares; gives the length of the seed.
    fn round_trip(script: &str, version: Version, stress: bool) -> usize {
        let saved = value_of(script);
        let bytes = encode(saved.top(0), version).unwrap();
        seed::check_with(&bytes, seed::Accept::STRICT).unwrap();
        let mut loaded = machine(stress);
        load_seed(&mut loaded, &bytes).unwrap();
        assert_eq!(loaded.depth(), 1);
        assert_eq!(loaded.force_top(), Ok(()));
        assert_eq!(text(&loaded), text(&saved), "{script}");
        assert_eq!(encode(loaded.top(0), version).unwrap(), bytes, "{script}");
        bytes.len()
    }

    #[test]
    fn each_kind_of_value_comes_back() {
        for script in [
            "0",
            "255",
            "0xffffffffffffffff",
            "0x123456789abcdef0123456789abcdef",
            "0P",
            "1P",
            "0PP",
            "15P",
            "0x10000000000000000P",
            "1 1 \"id\"L",
            "1 1 \"id\"LP",
            "0 1A 2A 3A",
            "5 6A",
            "(1 2 \"kk\"L)P 7A",
            "3 buffer",
            "0 (1 1 5L)A (1 1 5L)A (5P)A (5P)A",
            "((0 (0 5A)A 1A) 1 \"q\"L)",
        ] {
            for version in [Version::V1, Version::V2] {
                round_trip(script, version, false);
                round_trip(script, version, true);
            }
        }
    }

    #[test]
    fn shared_parts_cost_once() {
        // A tree of 2^200 leaves. It is compared by its seed; its text has no end.
        let script = format!("7 {}", "0 1 push A 1 push A swap drop ".repeat(200));
        let saved = value_of(&script);
        let bytes = encode(saved.top(0), Version::V1).unwrap();
        assert!(bytes.len() < 1000, "{} bytes", bytes.len());
        let mut loaded = machine(false);
        load_seed(&mut loaded, &bytes).unwrap();
        assert_eq!(loaded.force_top(), Ok(()));
        assert_eq!(encode(loaded.top(0), Version::V1).unwrap(), bytes);
    }

    #[test]
    fn depth_needs_no_native_stack() {
        let mut machine = machine(false);
        machine.push(Value::ZERO);
        for _ in 0..200_000 {
            machine.push(Value::ZERO);
            let below = machine.top(1);
            machine.push(below);
            machine.make_row(1).unwrap();
            machine.set_top(1, machine.top(0));
            machine.drop_top(1);
        }
        machine.force_top().unwrap();
        let bytes = encode(machine.top(0), Version::V1).unwrap();
        load_seed(&mut machine, &bytes).unwrap();
        machine.force_top().unwrap();
        assert_eq!(encode(machine.top(0), Version::V1).unwrap(), bytes);
    }

    /// A script that leaves one value, made of parts of the stack and of new ones.
    fn scripts() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            any::<u8>().prop_map(|n| n.to_string()),
            any::<u64>().prop_map(|n| format!("{n:#x}")),
            any::<u128>().prop_map(|n| format!("{n:#x}")),
        ];
        leaf.prop_recursive(6, 48, 4, |inner| {
            let parts = prop::collection::vec((inner.clone(), any::<bool>()), 1..4);
            prop_oneof![
                inner.clone().prop_map(|v| format!("({v} F P)")),
                (inner, 1..300u16, any::<u16>())
                    .prop_map(|(body, arity, name)| { format!("({body} F {arity} {name} L)") }),
                (any::<u16>(), parts).prop_map(|(head, parts)| {
                    let mut row = head.to_string();
                    for (part, twice) in parts {
                        row += &match twice {
                            // f x -- f x x: the same object as two arguments
                            true => format!(" {part} swap over A swap A"),
                            false => format!(" {part} A"),
                        };
                    }
                    row
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn values_come_back_as_they_were(script in scripts(), stress: bool) {
            round_trip(&script, Version::V1, stress);
            round_trip(&script, Version::V2, stress);
        }
    }
}
