//! The texts of `--help` and `--version`.
//!
//! Invariants:
//! - every text fits 80 columns and ends with a line end;
//! - a command is listed here exactly when this version has it.

use super::args::Topic;
use crate::os::packed::Packed;
use alloc::vec::Vec;

/// What `plan --version` prints.
pub const VERSION: &str = concat!("plan ", env!("CARGO_PKG_VERSION"), "\n");

/// The texts of `help/`, in the order of the topics; packed, which saves 4 KB.
const TEXTS: Packed = Packed(include_bytes!(concat!(env!("OUT_DIR"), "/help")));

/// The help on a topic.
pub fn text(topic: Topic) -> Vec<u8> {
    TEXTS.part(topic as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPICS: [(Topic, &str); 9] = [
        (Topic::All, include_str!("help/all.txt")),
        (Topic::Run, include_str!("help/run.txt")),
        (Topic::Rpn, include_str!("help/rpn.txt")),
        (Topic::Seed, include_str!("help/seed.txt")),
        (Topic::Wisp, include_str!("help/wisp.txt")),
        (Topic::Repl, include_str!("help/repl.txt")),
        (Topic::Image, include_str!("help/image.txt")),
        (Topic::Boot, include_str!("help/boot.txt")),
        (Topic::Build, include_str!("help/build.txt")),
    ];

    #[test]
    fn each_topic_has_its_text() {
        for (topic, written) in TOPICS {
            assert_eq!(text(topic), written.as_bytes(), "{topic:?}");
        }
    }

    #[test]
    fn texts_fit_a_terminal() {
        for text in TOPICS.map(|(_, text)| text).into_iter().chain([VERSION]) {
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
            for line in text.lines() {
                assert!(
                    line.len() <= 80 && line.is_ascii() && line.trim_end() == line,
                    "{line}"
                );
            }
        }
    }
}
