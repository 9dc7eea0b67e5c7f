//! Bytes of a terminal as keys.
//!
//! Invariants:
//! - Pure over the bytes: nothing is read here and time plays no part. An escape byte waits for what
//!   follows it, so the Escape key by itself has no meaning.
//! - A sequence that is not known is one [`Key::Unknown`]; none of its bytes becomes text.

/// What was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A byte of text, one of several for a character that is not ASCII.
    Text(u8),
    /// The control key with this upper-case letter or sign; `?` for Backspace.
    Control(u8),
    /// The meta key, or Escape before it, with this byte; letters in lower case.
    Meta(u8),
    /// Arrows and their neighbours.
    Up,
    /// Down.
    Down,
    /// Left.
    Left,
    /// Right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Delete.
    Delete,
    /// What follows is pasted.
    PasteBegins,
    /// What was pasted is over.
    PasteEnds,
    /// Nothing we know.
    Unknown,
}

/// Where in a sequence the decoder is (ECMA-48, §5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Ground,
    /// Behind an escape byte.
    Escape,
    /// Behind `ESC [`: the numbers so far, and whether the first one is over.
    Sequence { numbers: [u16; 2], second: bool },
    /// Behind `ESC O`.
    Single,
}

/// Makes keys of bytes.
#[derive(Default, Debug)]
pub struct Decoder {
    state: State,
}

impl Decoder {
    /// The key that this byte completes.
    pub fn push(&mut self, byte: u8) -> Option<Key> {
        if byte == 0x1b {
            self.state = State::Escape;
            return None;
        }
        let state = core::mem::take(&mut self.state);
        match (state, byte) {
            (State::Ground, _) => Some(plain(byte)),
            (State::Escape, b'[') => {
                self.state = State::Sequence {
                    numbers: [0; 2],
                    second: false,
                };
                None
            }
            (State::Escape, b'O') => {
                self.state = State::Single;
                None
            }
            (State::Escape, _) => Some(Key::Meta(byte.to_ascii_lowercase())),
            (State::Single, _) => Some(special(byte, 0, 0)),
            (State::Sequence { numbers, second }, 0x20..=0x3f) => {
                self.state = parameter(byte, numbers, second);
                None
            }
            (State::Sequence { numbers, .. }, _) => Some(special(byte, numbers[0], numbers[1])),
        }
    }
}

/// The state behind one more byte of the parameters; numbers behind the second count for it.
fn parameter(byte: u8, mut numbers: [u16; 2], mut second: bool) -> State {
    if byte.is_ascii_digit() {
        let number = &mut numbers[usize::from(second)];
        let digit = u16::from(byte - b'0');
        *number = number.saturating_mul(10).saturating_add(digit);
    } else if byte == b';' {
        second = true;
    }
    State::Sequence { numbers, second }
}

fn plain(byte: u8) -> Key {
    match byte {
        0..0x20 => Key::Control(byte + 0x40),
        0x7f => Key::Control(b'?'),
        _ => Key::Text(byte),
    }
}

/// The key of a sequence with its last byte and its numbers; a second number of 3 or 5 is the meta
/// or the control key.
fn special(byte: u8, first: u16, last: u16) -> Key {
    match (byte, first, last) {
        (b'C', _, 3 | 5) => Key::Meta(b'f'),
        (b'D', _, 3 | 5) => Key::Meta(b'b'),
        (b'A', ..) => Key::Up,
        (b'B', ..) => Key::Down,
        (b'C', ..) => Key::Right,
        (b'D', ..) => Key::Left,
        (b'H', ..) | (b'~', 1 | 7, _) => Key::Home,
        (b'F', ..) | (b'~', 4 | 8, _) => Key::End,
        (b'~', 3, _) => Key::Delete,
        (b'~', 200, _) => Key::PasteBegins,
        (b'~', 201, _) => Key::PasteEnds,
        _ => Key::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|b| decoder.push(*b)).collect()
    }

    #[test]
    fn sequences_are_keys() {
        let cases: [(&[u8], Key); 16] = [
            (b"\x1b[A", Key::Up),
            (b"\x1bOB", Key::Down),
            (b"\x1b[1;5C", Key::Meta(b'f')),
            (b"\x1b[1;3D", Key::Meta(b'b')),
            (b"\x1b[D", Key::Left),
            (b"\x1b[3~", Key::Delete),
            (b"\x1b[3;2~", Key::Delete),
            (b"\x1bOH", Key::Home),
            (b"\x1b[4~", Key::End),
            (b"\x1b[200~", Key::PasteBegins),
            (b"\x1b[201~", Key::PasteEnds),
            (b"\x1b[?25$p", Key::Unknown),
            (b"\x1b[99999999A", Key::Up),
            (b"\x1bD", Key::Meta(b'd')),
            (b"\x01", Key::Control(b'A')),
            (b"\x7f", Key::Control(b'?')),
        ];
        for (bytes, key) in cases {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn text_is_passed_on_and_escape_starts_anew() {
        assert_eq!(keys("é".as_bytes()), [Key::Text(0xc3), Key::Text(0xa9)]);
        assert_eq!(keys(b"\x1b[1\x1b[Bx"), [Key::Down, Key::Text(b'x')]);
        assert_eq!(keys(b"\x1b\x1b\x1b[A"), [Key::Up]);
    }
}
