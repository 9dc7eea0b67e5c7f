//! The first pass over a seed: validates everything, builds nothing, and counts what the second
//! pass will need.
//!
//! Invariants:
//! - after a check the same bytes can be built without any further error of the format;
//! - errors are reported in the order of the specification: header, number sections, number of
//!   fragments, canonical order of the numbers, then the bit stream from front to back, at last
//!   the padding and the unused entries.

use super::bits;
use super::error::{Code, SeedError};
use super::header::{self, Limbs, Number, Plan, Version};
use super::nodes::{Event, Nodes};
use crate::heap::words::sort;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Which seeds to accept beyond what every loader must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept {
    /// Reject, as E_CANON, also what a loader tolerates: numbers that are not minimal or occur
    /// twice, unused entries, fragments that are bare references, anything behind the last
    /// fragment but zeros up to the next multiple of 8 bytes. For tools; it does not prove that a
    /// file is the canonical one, for which see [`super::encode`].
    pub strict: bool,
    /// Accept cyclic data (version 2 graphs). Contexts that need a finite tree, such as pins and
    /// images, say no, and get E_VERSION.
    pub graphs: bool,
}

impl Accept {
    /// What running a seed accepts: everything that is well-formed.
    pub const ANY: Accept = Accept {
        strict: false,
        graphs: true,
    };
    /// What pinning a seed or making an image from it accepts.
    pub const TREES: Accept = Accept {
        strict: false,
        graphs: false,
    };
    /// What a tool may insist on.
    pub const STRICT: Accept = Accept {
        strict: true,
        graphs: true,
    };
}

/// Validates a seed of either version as a loader must: [`check_with`] and [`Accept::ANY`].
pub fn check(bytes: &[u8]) -> Result<Plan, SeedError> {
    check_with(bytes, Accept::ANY)
}

/// Validates a seed of either version (specification, chapter 03, section 7 and 8.6).
///
/// Takes time linear in the length of `bytes`, and memory for one count per open node.
///
/// Errors: the first one in the order of the specification.
pub fn check_with(bytes: &[u8], accept: Accept) -> Result<Plan, SeedError> {
    let mut plan = header::parse(bytes)?;
    if plan.graph && !accept.graphs {
        return Err(SeedError::new(
            Code::Version,
            "a graph where only a tree is allowed",
            32,
        ));
    }
    check_numbers(bytes, &mut plan, accept)?;
    let mut used = Used::new(&plan, accept.strict)?;
    check_fragments(bytes, &mut plan, accept, &mut used)?;
    if accept.strict || plan.version == Version::V2 {
        check_padding(bytes, &plan)?;
    }
    used.check(&plan)?;
    Ok(plan)
}

/// Counts the numbers that do not fit in a tagged word, and checks their form where it matters.
fn check_numbers(bytes: &[u8], plan: &mut Plan, accept: Accept) -> Result<(), SeedError> {
    let ordered = plan.version == Version::V2;
    let mut last: Option<Limbs> = None;
    let (mut boxed_nats, mut boxed_limbs) = (0, 0);
    for number in plan.number_list(bytes) {
        let limbs = number.limbs.clone();
        if limbs.to_u64().is_none_or(|value| value >> 63 != 0) {
            boxed_nats += 1;
            boxed_limbs += limbs.len() as u64;
        }
        if ordered || accept.strict {
            check_class(&number, plan.version)?;
        }
        if ordered && last.is_some_and(|last| compare(&last, &limbs) != Ordering::Greater) {
            return Err(canon(
                "the numbers are not strictly descending",
                number.offset,
            ));
        }
        last = Some(limbs);
    }
    plan.boxed_nats = boxed_nats;
    plan.boxed_limbs = boxed_limbs;
    if accept.strict && !ordered {
        check_distinct(bytes, plan)?;
    }
    Ok(())
}

/// An E_CANON about the field at byte `offset`.
fn canon(detail: &'static str, offset: usize) -> SeedError {
    SeedError::new(Code::Canon, detail, 8 * offset as u64)
}

/// Checks that a number is in the smallest class of its version that holds it.
fn check_class(number: &Number, version: Version) -> Result<(), SeedError> {
    let needed = number.limbs.as_bytes().len();
    let minimal = match (number.width, version) {
        (None, _) => needed > 8 && number.length == 8 * number.limbs.len(),
        (Some(8), Version::V1) => needed > 1,
        (Some(width), _) => width == 1 || needed > width / 2,
    };
    if minimal {
        Ok(())
    } else {
        Err(canon("a number is not in its smallest form", number.offset))
    }
}

/// Compares two numbers by value.
fn compare(left: &Limbs, right: &Limbs) -> Ordering {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    left.len()
        .cmp(&right.len())
        .then_with(|| left.iter().rev().cmp(right.iter().rev()))
}

/// Checks that no number occurs twice; takes a sort, so it is for strict checking only.
fn check_distinct(bytes: &[u8], plan: &Plan) -> Result<(), SeedError> {
    let mut numbers: Vec<Number> = Vec::new();
    for number in plan.number_list(bytes) {
        bits::push(&mut numbers, number)?;
    }
    let by_value = |a: &Number, b: &Number| compare(&a.limbs, &b.limbs);
    sort(&mut numbers, |a, b| {
        by_value(a, b).then(a.offset.cmp(&b.offset)).is_lt()
    });
    let twice = numbers
        .windows(2)
        .filter(|pair| by_value(&pair[0], &pair[1]).is_eq());
    match twice.map(|pair| pair[1].offset).min() {
        Some(offset) => Err(canon("a number occurs twice", offset)),
        None => Ok(()),
    }
}

/// Walks the bit stream; counts cells and depth, and finds the end of the last fragment.
fn check_fragments(
    bytes: &[u8],
    plan: &mut Plan,
    accept: Accept,
    used: &mut Used,
) -> Result<(), SeedError> {
    let no_bare = accept.strict || plan.version == Version::V2;
    let (mut cells, mut depth) = (0, 0);
    let mut nodes = Nodes::new(bytes, plan);
    while let Some(event) = nodes.next()? {
        let Event::Head { position, args } = event else {
            continue;
        };
        used.mark(position);
        cells += u64::from(args);
        depth = depth.max(nodes.depth());
        if no_bare && nodes.depth() == 0 {
            let detail = "a fragment that is a bare reference";
            return Err(SeedError::new(Code::Canon, detail, nodes.head_bit()));
        }
    }
    let stream_end = nodes.bit();
    plan.cells = cells;
    plan.depth = depth;
    plan.stream_end = stream_end;
    Ok(())
}

/// Checks that zeros up to the next multiple of 8 bytes, and nothing else, follow the fragments.
fn check_padding(bytes: &[u8], plan: &Plan) -> Result<(), SeedError> {
    let detail = if !bytes.len().is_multiple_of(8) {
        "the length is not a multiple of 8 bytes"
    } else if 8 * bytes.len() as u64 - plan.stream_end >= 64 {
        "64 or more bits of padding"
    } else if bits::BitReader::new(bytes, plan.stream_end).window() != 0 {
        "the padding is not zero"
    } else {
        return Ok(());
    };
    Err(SeedError::new(Code::Canon, detail, plan.stream_end))
}

/// Which entries have been referred to; keeps no record unless asked to.
struct Used {
    /// One bit per entry, or nothing.
    marks: Vec<u64>,
}

impl Used {
    /// No entry is used yet. The number of entries is at most the number of bits of the file, as
    /// the header's check made sure (parameters apart, of which there are at most 65,535).
    fn new(plan: &Plan, wanted: bool) -> Result<Self, SeedError> {
        let mut marks = Vec::new();
        if wanted {
            let words = plan.entries().div_ceil(64) as usize;
            bits::reserve(&mut marks, words)?;
            marks.resize(words, 0);
        }
        Ok(Used { marks })
    }

    fn mark(&mut self, position: u64) {
        if let Some(word) = self.marks.get_mut((position / 64) as usize) {
            *word |= 1 << (position % 64);
        }
    }

    /// Reports the first entry never referred to, unless it is the result, or `<0>` where only
    /// `<1>` is needed, which is always the second parameter.
    fn check(&mut self, plan: &Plan) -> Result<(), SeedError> {
        self.mark(plan.entries() - 1);
        if plan.params() > 1 && plan.is_law_constructor(1) {
            self.mark(0);
        }
        let unused = |word: &u64| *word != u64::MAX;
        let Some(index) = self.marks.iter().position(unused) else {
            return Ok(());
        };
        let position = 64 * index as u64 + u64::from(self.marks[index].trailing_ones());
        if position >= plan.entries() {
            return Ok(());
        }
        let detail = alloc::format!("entry {position} is not used");
        Err(SeedError::new(Code::Canon, detail, 0))
    }
}
