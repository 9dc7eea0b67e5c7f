//! Runs the Wisp blocks of a page as one program and compares the values it shows.
//!
//! Invariants:
//! - the program has the lines of the page, so a mistake is reported with the page's line number;
//! - a comment `; => value` belongs to the form that ends before it, and is an expression with an
//!   equal value.

use super::forms;
use super::page::{Kind, Page};
use crate::support::{Input, Plan, scratch_dir};
use std::fs;

/// Runs a page's blocks: the number of forms.
pub fn check(page: &Page) -> usize {
    let blocks = page.blocks.iter().filter(|block| block.kind == Kind::Wisp);
    let mut program = String::from("(require \"std\")\n");
    let (mut line, mut count) = (2, 0);
    for block in blocks {
        assert!(block.first_line >= line, "{}: no title", page.name);
        program += &"\n".repeat(block.first_line - line);
        let text = block.lines.join("\n") + "\n";
        count += forms::ranges(&text).len();
        program += &with_tests(&text);
        line = block.first_line + block.lines.len();
    }
    if count == 0 {
        return 0;
    }
    let dir = scratch_dir("book");
    let file = dir.join("page.wisp");
    fs::write(&file, program).expect("a scratch file");
    let plan = Plan::new(["wisp".into(), "--no-main".into(), file.into_os_string()]);
    let got = plan
        .dir(dir)
        .input(Input::Bytes(Vec::new()))
        .limit_seconds(60)
        .run();
    assert!(
        got.out().is_empty() && got.err().is_empty() && got.ended(),
        "{} (page.wisp has its lines):\n{}{}",
        page.name,
        got.out(),
        got.err()
    );
    count
}

/// The text with every form whose value is shown made a test of that value, on the same lines.
fn with_tests(text: &str) -> String {
    let (mut out, mut at) = (String::new(), 0);
    let ranges = forms::ranges(text);
    for (i, (from, to)) in ranges.iter().enumerate() {
        let behind = ranges.get(i + 1).map_or(text.len(), |next| next.0);
        out += &text[at..*from];
        let form = &text[*from..*to];
        match text[*to..behind].split_once("; => ") {
            Some((_, rest)) => {
                let value = rest.split('\n').next().expect("a line");
                out += &format!("(tests ({value} {form}))");
            }
            None => out += form,
        }
        at = *to;
    }
    out + &text[at..]
}
