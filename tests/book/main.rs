//! The book under `docs/`: every block of code is run, every link leads somewhere, every page is in
//! the table of contents, and the library reference is what the library says.
//!
//! Invariants:
//! - the kinds of blocks are those that docs/tested.md describes, and there are no others;
//! - docs/spec holds the specification, whose vectors have tests of their own (tests/vectors_*.rs):
//!   of its pages only the place in the table of contents is checked;
//! - nothing is written but in scratch directories, under build/, and with PLAN_BLESS=1 in
//!   docs/library.

#[path = "../support/mod.rs"]
mod support;

mod forms;
mod page;
mod prompt;
mod reference;
mod session;
mod shell;

use page::{Kind, Page, pages, root};
use std::collections::BTreeSet;
use std::fs;

/// Pages with blocks that are only to be read, and how many each has. A block belongs here only if
/// nothing could run it.
const TEXT_ONLY: &[(&str, usize)] = &[
    ("docs/architecture.md", 1),
    ("docs/benchmarks.md", 3),
    ("docs/image-format.md", 1),
    ("docs/images.md", 2),
    ("docs/tested.md", 1),
    ("docs/tutorial/remember.md", 1),
];

#[test]
fn what_the_pages_show_of_wisp_is_true() {
    let mut run = 0;
    for page in pages() {
        run += session::check(&page);
    }
    println!("book: {run} forms evaluated");
    assert!(run > 300, "{run} forms");
}

#[test]
fn commands_do_what_the_pages_show() {
    let mut run = 0;
    for page in pages() {
        run += shell::check(&page);
    }
    println!("book: {run} commands run");
    assert!(run > 60, "{run} commands");
}

#[test]
fn the_prompt_shows_what_the_pages_show() {
    let run: usize = pages().iter().map(prompt::check).sum();
    println!("book: {run} entries typed");
    assert!(run > 12, "{run} entries");
}

#[test]
fn files_that_pages_write_are_used() {
    for page in pages() {
        for (i, block) in page.blocks.iter().enumerate() {
            let Kind::File(name) = &block.kind else {
                continue;
            };
            let stem = name.split('.').next().unwrap_or(name);
            let required = format!("(require \"{stem}\")");
            let used = page.blocks[i + 1..].iter().any(|later| {
                later.lines.iter().any(|line| match later.kind {
                    Kind::File(_) => *line == required,
                    Kind::Console | Kind::Root | Kind::Prompt => line.contains(stem),
                    _ => false,
                })
            });
            assert!(
                used,
                "{}:{}: nobody runs {name}",
                page.name, block.first_line
            );
        }
    }
}

#[test]
fn blocks_that_nothing_runs_are_counted() {
    let mut found = Vec::new();
    for page in pages() {
        let blocks = page.blocks.iter().filter(|block| block.kind == Kind::Text);
        let lines: Vec<usize> = blocks.map(|block| block.first_line).collect();
        if !lines.is_empty() {
            println!("book: {} shows without running: {lines:?}", page.name);
            found.push((page.name.clone(), lines.len()));
        }
    }
    let expected: Vec<(String, usize)> = TEXT_ONLY
        .iter()
        .map(|(name, count)| (String::from(*name), *count))
        .collect();
    assert_eq!(found, expected);
}

/// Code that is indented instead of fenced would hide from all of this.
#[test]
fn no_block_is_indented_only() {
    for page in pages() {
        for (number, line) in page.prose() {
            let code = line.starts_with("    ") && !line.trim_start().starts_with(['-', '*']);
            let listed = page.in_list(number);
            assert!(!code || listed, "{}:{number}: indented code", page.name);
        }
    }
}

#[test]
fn prose_fits_the_width_of_a_page() {
    for page in pages() {
        if page.generated() {
            continue;
        }
        for (number, line) in page.lines() {
            let table = line.starts_with('|');
            let width = line.chars().count();
            assert!(
                table || width <= 110,
                "{}:{number}: {width} columns",
                page.name
            );
            assert!(
                line.trim_end() == line,
                "{}:{number}: blanks at the end",
                page.name
            );
        }
    }
}

#[test]
fn pages_have_a_title_and_a_text() {
    for page in pages() {
        let title = page.prose().next().map(|(_, line)| line.starts_with("# "));
        assert_eq!(title, Some(true), "{}: no title", page.name);
        let text = page.prose().filter(|(_, line)| line.len() > 20).count();
        assert!(text >= 3, "{}: {text} lines of text", page.name);
    }
}

#[test]
fn links_lead_somewhere() {
    let mut followed = 0;
    for page in pages() {
        for (number, target) in page.links() {
            let place = format!("{}:{number}: {target}", page.name);
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => page.path.clone(),
                _ => page.path.parent().expect("a directory").join(file),
            };
            let path = path
                .canonicalize()
                .unwrap_or_else(|e| panic!("{place}: {e}"));
            let outside = page.in_docs() && !path.starts_with(root().join("docs"));
            assert!(!outside, "{place}: leads out of the book");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{place}: {e}"));
                assert!(page::anchors(&text).contains(anchor), "{place}: no heading");
            }
            followed += 1;
        }
    }
    assert!(followed > 50, "{followed} links");
}

#[test]
fn the_table_of_contents_names_every_page_once() {
    let summary = Page::read(&root().join("docs/SUMMARY.md"));
    let listed: Vec<String> = summary.links().map(|(_, target)| target).collect();
    let set: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), set.len(), "a page is listed twice");
    let mut expected = page::markdown_under(&root().join("docs"));
    expected.remove("SUMMARY.md");
    assert_eq!(set, expected);
}

#[test]
fn the_library_reference_is_what_the_library_says() {
    reference::check();
}

#[test]
fn blocks_are_read_as_they_are_meant() {
    page::self_test();
    forms::self_test();
    shell::self_test();
}
