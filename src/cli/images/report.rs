//! One report, as lines for people or as an object for programs (`--json`).
//!
//! Invariants:
//! - both forms have the same keys in the same order, and say the same;
//! - numbers are decimal, without a unit in JSON; strings there are valid JSON whatever is in them;
//! - an error of the output is kept and given at the end.

use crate::cli::finish;
use crate::os::Fd;
use crate::os::out::Out;
use alloc::string::{String, ToString};
use core::fmt::{self, Display, Write};

/// Columns of a key and its colon in the text.
const KEYS: usize = 13;

/// A report being written to standard output.
pub struct Report {
    out: Out,
    json: bool,
    started: bool,
}

/// A string as JSON has it, with the quotes.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if (c as u32) < 0x20 => write!(f, "\\u{:04x}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

impl Report {
    /// An empty report.
    pub fn new(json: bool) -> Report {
        Report {
            out: Out::new(Fd::STDOUT),
            json,
            started: false,
        }
    }

    /// Writes a part; what goes wrong is said by [`Report::end`].
    fn put(&mut self, part: fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(part);
    }

    fn key(&mut self, key: &str) {
        if self.json {
            let before = if self.started { "," } else { "{" };
            self.put(format_args!("{before}\n  {}: ", Quoted(key)));
        } else {
            self.put(format_args!("{:KEYS$}", key.to_string() + ":"));
        }
        self.started = true;
    }

    fn value(&mut self, key: &str, json: &dyn Display, text: &dyn Display) {
        self.key(key);
        if self.json {
            self.put(format_args!("{json}"));
        } else {
            self.put(format_args!("{text}\n"));
        }
    }

    /// A number of things.
    pub fn number(&mut self, key: &str, number: u64, unit: &str) {
        let text = if unit.is_empty() {
            number.to_string()
        } else {
            number.to_string() + " " + unit
        };
        self.value(key, &number, &text);
    }

    /// A number of bytes, of which there may be none: `null`.
    pub fn optional(&mut self, key: &str, number: Option<u64>) {
        match number {
            Some(number) => self.number(key, number, ""),
            None => self.value(key, &"null", &"none"),
        }
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &str, flag: bool) {
        self.value(key, &flag, &if flag { "yes" } else { "no" });
    }

    /// A text.
    pub fn text(&mut self, key: &str, text: &dyn Display) {
        let text = text.to_string();
        self.value(key, &Quoted(&text), &text);
    }

    /// A list of texts with a number each; `unit` names the number.
    pub fn list(&mut self, key: &str, unit: &str, items: &[(u64, String)]) {
        if items.is_empty() {
            return self.value(key, &"[]", &"none");
        }
        self.key(key);
        for (i, (number, text)) in items.iter().enumerate() {
            if self.json {
                let before = if i == 0 { "[" } else { "," };
                let (unit, text) = (Quoted(unit), Quoted(text));
                self.put(format_args!(
                    "{before}\n    {{{unit}: {number}, \"what\": {text}}}"
                ));
            } else {
                let before = if i == 0 { 0 } else { KEYS };
                self.put(format_args!("{:before$}{unit} {number}: {text}\n", ""));
            }
        }
        if self.json {
            self.put(format_args!("\n  ]"));
        }
    }

    /// Shows what is there already; what follows takes time.
    pub fn show(&mut self) {
        // What goes wrong is said by `end`.
        let _ = self.out.flush();
    }

    /// Ends the report; gives `status`, unless it could not be written.
    pub fn end(mut self, status: i32) -> i32 {
        if self.json {
            self.put(format_args!("\n}}\n"));
        }
        finish(self.out.flush(), status)
    }
}
