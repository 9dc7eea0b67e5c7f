//! Names that may have been meant by one that is not bound (chapter 06 §7.5).
//!
//! Invariants:
//! - Looking through an environment evaluates nothing and visits a bounded number of nodes.
//! - Names longer than [`MAX_NAME`] are not compared, so the work for one name is bounded too.

use super::env::{LEFT, RIGHT};
use super::eval::name_bytes;
use super::read::{is_symbol, previous_symbol};
use super::text::{join, put};
use crate::value::Value;
use alloc::vec::Vec;

/// Longest name that is compared, in bytes.
const MAX_NAME: usize = 64;
/// Most nodes of an environment that are looked at.
const MAX_NODES: usize = 100_000;
/// Bytes of text, back from the mistake, in which names are looked for.
const MAX_TEXT: usize = 1 << 16;
/// Most names suggested.
const MAX_NAMES: usize = 3;
/// Largest edit distance that counts as similar.
const MAX_DISTANCE: usize = 3;

/// Names that are never meant: those of the loop and of the library's own use.
fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(b"__") || name.starts_with(b"%")
}

/// The edit distance that still counts as similar to a name of this length. No more than leaves one
/// byte unchanged: every name of one byte is at distance 1 of every other.
fn limit(length: usize) -> usize {
    match length {
        0 | 1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => MAX_DISTANCE,
    }
}

/// Letters without case, and one mark between words.
fn folded(byte: u8) -> u8 {
    match byte {
        b'_' => b'-',
        byte => byte.to_ascii_lowercase(),
    }
}

/// How far two names are apart: insertions, deletions, changes and swaps of neighbours (optimal
/// string alignment); 0 if only case or `-` and `_` differ; `None` beyond the limit for `a`.
fn distance(a: &[u8], b: &[u8]) -> Option<usize> {
    let most = limit(a.len());
    if a.len().abs_diff(b.len()) > most || a.len() > MAX_NAME || b.len() > MAX_NAME {
        return None;
    }
    if a.iter()
        .map(|c| folded(*c))
        .eq(b.iter().map(|c| folded(*c)))
    {
        return Some(0);
    }
    // Three rows of the table: before the previous one, the previous one, this one.
    let mut rows = [[0_u8; MAX_NAME + 1]; 3];
    for (j, cell) in rows[1].iter_mut().enumerate() {
        *cell = j as u8;
    }
    for i in 1..=a.len() {
        rows[2][0] = i as u8;
        for j in 1..=b.len() {
            let changed = rows[1][j - 1] + u8::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[1][j] + 1).min(rows[2][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[0][j - 2] + 1);
            }
            rows[2][j] = best;
        }
        rows.rotate_left(1);
    }
    let far = usize::from(rows[1][b.len()]);
    (far <= most).then_some(far)
}

/// A name that is similar, with what decides between several: smaller is better.
struct Candidate {
    name: Vec<u8>,
    rank: (bool, usize, usize),
}

/// The names similar to the one that is not bound, best first.
pub struct Search<'a> {
    name: &'a [u8],
    /// What was read before the mistake: a name that occurs late in it was defined recently.
    text: &'a [u8],
    found: Vec<Candidate>,
}

impl<'a> Search<'a> {
    /// A search for a name; `text` is what was read before the mistake.
    pub fn new(name: &'a [u8], text: &'a [u8]) -> Search<'a> {
        Search {
            name,
            text: &text[text.len().saturating_sub(MAX_TEXT)..],
            found: Vec::new(),
        }
    }

    /// Whether a name is similar to the one that is not bound, and another one.
    pub fn is_similar(&self, name: &[u8]) -> bool {
        name != self.name && distance(self.name, name).is_some()
    }

    /// Takes this name into account.
    #[cold]
    #[inline(never)]
    pub fn offer(&mut self, name: &[u8], local: bool) {
        let symbol = name.iter().all(|b| is_symbol(*b));
        if !symbol || is_reserved(name) || name == self.name {
            return;
        }
        let Some(distance) = distance(self.name, name) else {
            return;
        };
        if self.found.iter().any(|known| known.name == name) {
            return;
        }
        let age = match previous_symbol(self.text, name) {
            Some(at) => self.text.len() - at,
            None => usize::MAX,
        };
        let rank = (!local, distance, age);
        let better = self.found.iter().take_while(|known| known.rank <= rank);
        let place = better.count();
        if place < MAX_NAMES {
            self.found.truncate(MAX_NAMES - 1);
            let name = name.to_vec();
            self.found.insert(place, Candidate { name, rank });
        }
    }

    /// Takes all names of an environment into account.
    pub fn environment(&mut self, env: Value) {
        names(env, &mut |name| self.offer(name, false));
    }

    /// The best name.
    pub fn best(&self) -> Option<&[u8]> {
        self.found.first().map(|known| &known.name[..])
    }

    /// The question to ask, if there is something to suggest.
    pub fn question(&self) -> Option<Vec<u8>> {
        let (last, others) = self.found.split_last()?;
        let mut text = join(&[b"did you mean "]);
        for (i, other) in others.iter().enumerate() {
            let comma: &[u8] = if i == 0 { b"" } else { b", " };
            put(&mut text, &[comma, &other.name]);
        }
        if !others.is_empty() {
            put(&mut text, &[b" or "]);
        }
        put(&mut text, &[&last.name, b"?"]);
        Some(text)
    }
}

/// Visits the names of an environment, as far as it is evaluated.
pub fn names(env: Value, visit: &mut dyn FnMut(&[u8])) {
    let mut waiting = Vec::from([env]);
    for _ in 0..MAX_NODES {
        let Some(node) = waiting.pop() else {
            return;
        };
        let node = node.resolve();
        if !node.is_closure() {
            continue;
        }
        let slot = |i: usize| node.arg(i).resolve();
        let size = node.size();
        if slot(0).is_nat() {
            visit(&name_bytes(slot(0)));
        }
        waiting.extend([LEFT, RIGHT].into_iter().filter(|i| *i < size).map(slot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits_up_to_the_limit_of_the_length() {
        let cases = [
            ("blnk", "blank", Some(1)),
            ("blnk", "blink2", None),
            ("Foo_Bar", "foo-bar", Some(0)),
            ("lenght", "length", Some(1)),
            ("lfoldk", "lfoldr", Some(1)),
            ("x", "y", None),
            ("x", "X", Some(0)),
            ("ab", "ba", Some(1)),
            ("intersprese", "intersperse", Some(1)),
            ("environment", "enviroments", Some(2)),
            ("abcd", "abxy", None),
        ];
        for (a, b, far) in cases {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), far, "{a} {b}");
        }
    }

    #[test]
    fn locals_come_first_then_the_nearest_then_the_latest() {
        let mut search = Search::new(b"contr", b"(def contra 1) (def conta 2)");
        for (name, local) in [("contra", false), ("conta", false), ("cont", true)] {
            search.offer(name.as_bytes(), local);
        }
        assert_eq!(
            search.question().as_deref(),
            Some(&b"did you mean cont, conta or contra?"[..])
        );
        search.offer(b"contr2", false);
        assert_eq!(search.found.len(), 3);
    }

    #[test]
    fn long_names_are_not_compared() {
        let long = [b'a'; 100_000];
        let mut search = Search::new(&long, b"");
        search.offer(&long[1..], false);
        assert_eq!(search.question(), None);
        assert_eq!(distance(&long[..64], &long[..63]), Some(1));
    }
}
