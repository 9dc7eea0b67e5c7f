//! The words of the console: chapter 04 §2.
//!
//! Invariants:
//! - Bytes are looked at one at a time and never further than the one that ends a number, word or
//!   name; that byte is the next one to be looked at.
//! - There is no limit on the length of anything but memory, and running out of it is an error.

use crate::nat;
use alloc::vec::Vec;

/// Where the bytes come from.
pub trait Source {
    /// The next byte; `None` at the end of the input, also when it cannot be read any more.
    fn next(&mut self) -> Option<u8>;

    /// Whether `next` would ask the system, and perhaps wait.
    fn would_wait(&self) -> bool;
}

/// Input that is in memory already.
impl Source for &[u8] {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.split_first()?;
        *self = rest;
        Some(first)
    }

    fn would_wait(&self) -> bool {
        false
    }
}

/// What stands in the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// A number or a string: limbs of a natural, least significant first.
    Nat(Vec<u64>),
    /// A run of lower-case letters.
    Word(Vec<u8>),
    /// The name after `$`, possibly empty.
    Seed(Vec<u8>),
    /// A command of one byte.
    Command(u8),
}

/// Why there is no next token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LexError {
    /// A byte that starts nothing.
    Illegal(u8),
    /// The input ended inside what this byte opened: `"` or `{`.
    Unterminated(u8),
    /// No memory for the token.
    Memory,
}

/// Splits a source into tokens.
pub struct Lexer<'s> {
    source: &'s mut dyn Source,
    /// The byte that ended the last token.
    ahead: Option<u8>,
}

/// Bytes that are commands by themselves, letters aside.
const COMMANDS: &[u8] = b"ARLFPDE._?\\+-*/#<>|&^";

impl<'s> Lexer<'s> {
    /// A lexer at the start of `source`.
    pub fn new(source: &'s mut dyn Source) -> Lexer<'s> {
        let ahead = None;
        Lexer { source, ahead }
    }

    /// Whether the next token needs bytes that may have to be waited for.
    pub fn would_wait(&self) -> bool {
        self.ahead.is_none() && self.source.would_wait()
    }

    /// The next token; `None` at the end of the input or a zero byte between tokens.
    ///
    /// # Errors
    /// See [`LexError`]; nothing useful can be read afterwards.
    pub fn token(&mut self) -> Result<Option<Token>, LexError> {
        loop {
            let token = match self.byte() {
                None | Some(0) => return Ok(None),
                Some(b'\n' | b' ' | b'\t' | b'(' | b')') => continue,
                Some(b';') => {
                    self.comment();
                    continue;
                }
                Some(digit @ b'0'..=b'9') => self.number(digit)?,
                Some(letter @ b'a'..=b'z') => {
                    Token::Word(self.run(Vec::from([letter]), |b| b.is_ascii_lowercase())?)
                }
                Some(b'"') => self.string()?,
                Some(b'{') => self.braced()?,
                Some(b'$') => Token::Seed(self.run(Vec::new(), |b| b.is_ascii_alphanumeric())?),
                Some(byte) if COMMANDS.contains(&byte) => Token::Command(byte),
                Some(byte) => return Err(LexError::Illegal(byte)),
            };
            return Ok(Some(token));
        }
    }

    fn byte(&mut self) -> Option<u8> {
        self.ahead.take().or_else(|| self.source.next())
    }

    fn comment(&mut self) {
        while !matches!(self.byte(), None | Some(b'\n')) {}
    }

    /// `bytes` and the longest run of bytes that are `part` of it.
    fn run(&mut self, bytes: Vec<u8>, part: impl Fn(u8) -> bool) -> Result<Vec<u8>, LexError> {
        let mut bytes = bytes;
        while let Some(byte) = self.byte() {
            if !part(byte) {
                self.ahead = Some(byte);
                break;
            }
            append(&mut bytes, byte)?;
        }
        Ok(bytes)
    }

    fn number(&mut self, first: u8) -> Result<Token, LexError> {
        let digits = self.run(Vec::from([first]), |b| b.is_ascii_digit())?;
        if self.ahead != Some(b'x') || digits.iter().any(|digit| *digit != b'0') {
            return Ok(Token::Nat(nat::from_decimal(&digits)));
        }
        self.ahead = None;
        let digits = self.run(Vec::new(), |b| b.is_ascii_hexdigit())?;
        Ok(Token::Nat(nat::from_hex(&digits)))
    }

    fn string(&mut self) -> Result<Token, LexError> {
        let bytes = self.run(Vec::new(), |b| b != b'"')?;
        match self.byte() {
            Some(_) => Ok(Token::Nat(nat::bytes_to_limbs(&bytes))),
            None => Err(LexError::Unterminated(b'"')),
        }
    }

    fn braced(&mut self) -> Result<Token, LexError> {
        let mut bytes = Vec::new();
        let mut open = 1u64;
        loop {
            let byte = self.byte().ok_or(LexError::Unterminated(b'{'))?;
            open = match byte {
                b'{' => open + 1,
                b'}' => open - 1,
                _ => open,
            };
            if open == 0 {
                return Ok(Token::Nat(nat::bytes_to_limbs(&bytes)));
            }
            append(&mut bytes, byte)?;
        }
    }
}

fn append(bytes: &mut Vec<u8>, byte: u8) -> Result<(), LexError> {
    bytes.try_reserve(1).map_err(|_| LexError::Memory)?;
    bytes.push(byte);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of `text`, written shortly, up to the end or the error.
    fn tokens(text: &[u8]) -> String {
        let mut text = text;
        let mut lexer = Lexer::new(&mut text);
        let mut shown = Vec::new();
        loop {
            shown.push(match lexer.token() {
                Ok(None) => return shown.join(" "),
                Ok(Some(Token::Nat(limbs))) => match limbs[..] {
                    [] => "0".into(),
                    [n] => n.to_string(),
                    _ => format!("{limbs:x?}"),
                },
                Ok(Some(Token::Word(word))) => String::from_utf8(word).unwrap(),
                Ok(Some(Token::Seed(name))) => format!("${}", String::from_utf8(name).unwrap()),
                Ok(Some(Token::Command(byte))) => (byte as char).to_string(),
                Err(LexError::Illegal(byte)) => {
                    shown.push(format!("illegal {byte:#x}"));
                    return shown.join(" ");
                }
                Err(error) => {
                    shown.push(format!("{error:?}"));
                    return shown.join(" ");
                }
            });
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(tokens(b"007"), "7");
        assert_eq!(tokens(b"0x1f 0x 000x10 0xABCdef"), "31 0 16 11259375");
        assert_eq!(tokens(b"0x1D 0x5dup"), "29 93 up");
        assert_eq!(tokens(b"12x"), "12 x");
        assert_eq!(tokens(b"0XF"), "0 illegal 0x58");
        assert_eq!(tokens(b"99999999999999999999"), "[6bc75e2d630fffff, 5]");
        assert_eq!(tokens(b"0x10000000000000000"), "[0, 1]");
        assert_eq!(tokens(b"0"), "0");
    }

    #[test]
    fn strings() {
        assert_eq!(
            tokens(b"\"ab\" \"\" {} {a{b}c} {\"}"),
            "25185 0 0 427305368417 34"
        );
        assert_eq!(tokens(b"\"{\"\"}\"{;}"), "123 125 59");
        assert_eq!(tokens(b"\"a\0b\" \"a\0\""), "6422625 97");
        assert_eq!(tokens(b"5 \"abc"), "5 Unterminated(34)");
        assert_eq!(tokens(b"{a{b}"), "Unterminated(123)");
        let mut long = vec![b'a'; 1_000_000];
        long.push(b'"');
        long.insert(0, b'"');
        assert!(
            matches!(Lexer::new(&mut &long[..]).token(), Ok(Some(Token::Nat(n))) if n.len() == 125000)
        );
    }

    #[test]
    fn words_names_and_commands_end_where_they_must() {
        assert_eq!(tokens(b"dup5"), "dup 5");
        assert_eq!(tokens(b"5dup?"), "5 dup ?");
        assert_eq!(tokens(b"$Add_$x1.$"), "$Add _ $x1 . $");
        assert_eq!(
            tokens(b"ARLFPDE._?\\+-*/#<>|&^"),
            "A R L F P D E . _ ? \\ + - * / # < > | & ^"
        );
        for byte in *b"]},!BCX\r\x80\xff'`~=%@:[\x01\x7f" {
            assert_eq!(tokens(&[b'5', byte]), format!("5 illegal {byte:#x}"));
        }
    }

    #[test]
    fn comments_blanks_and_the_end() {
        assert_eq!(tokens(b"5;6.\n7?"), "5 7 ?");
        assert_eq!(tokens(b";no newline 5."), "");
        assert_eq!(tokens(b"((5)\t(.)\n)"), "5 .");
        assert_eq!(tokens(b"5.\0 6."), "5 .");
        assert_eq!(tokens(b"dup\0drop"), "dup");
    }
}
