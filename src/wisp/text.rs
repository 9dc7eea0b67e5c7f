//! Putting messages together.
//!
//! Invariants:
//! - What comes from a text or a value reaches a message through [`put_plain`] alone, so nothing in
//!   it can change a terminal.
//! - Never inlined: messages are made once, and the growing of a vector takes more code than a call.

use alloc::string::String;
use alloc::vec::Vec;

/// The parts one after the other.
#[cold]
#[inline(never)]
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Appends the parts.
#[cold]
#[inline(never)]
pub fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends a number in decimal.
#[cold]
#[inline(never)]
pub fn put_number(out: &mut Vec<u8>, n: u64) {
    crate::value::print::decimal(n, out);
}

/// Appends text from outside: control characters other than tabs and line feeds become spaces, what
/// is not UTF-8 the replacement character.
#[cold]
#[inline(never)]
pub fn put_plain(out: &mut Vec<u8>, text: &[u8]) {
    for c in String::from_utf8_lossy(text).chars() {
        let c = match c {
            '\t' | '\n' => c,
            c if c.is_control() => ' ',
            c => c,
        };
        put(out, &[c.encode_utf8(&mut [0; 4]).as_bytes()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_changes_a_terminal_is_put() {
        let cases: [(&[u8], &str); 5] = [
            (b"a\tb\nc", "a\tb\nc"),
            (b"\x1b[1m\x7f\0", " [1m  "),
            ("\u{9b}1m \u{85}".as_bytes(), " 1m  "),
            ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
            (b"\x9b\xffz", "\u{fffd}\u{fffd}z"),
        ];
        for (text, plain) in cases {
            let mut out = Vec::new();
            put_plain(&mut out, text);
            assert_eq!(out, plain.as_bytes());
        }
    }
}
