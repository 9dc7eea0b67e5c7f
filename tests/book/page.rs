//! A page of the book: its blocks of code, its prose and its links.
//!
//! Invariants:
//! - lines are numbered from 1, as editors do;
//! - a block starts at a line of three backquotes and its kind, and ends at three backquotes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a block of code is for; docs/tested.md says it to the reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Forms of the page's session.
    Wisp,
    /// A file that commands behind it use.
    File(String),
    /// Commands and their output, in the page's directory.
    Console,
    /// Commands and their output, in the root of the repository.
    Root,
    /// Entries at the prompt and what it shows.
    Prompt,
    /// Only to be read.
    Text,
}

impl Kind {
    fn of(info: &str, place: &str) -> Kind {
        match info.split_once(' ').unwrap_or((info, "")) {
            ("wisp", "") => Kind::Wisp,
            ("wisp" | "json" | "text", file) if file.starts_with("file=") => {
                Kind::File(file.trim_start_matches("file=").into())
            }
            ("console", "") => Kind::Console,
            ("console", "root") => Kind::Root,
            ("prompt", "") => Kind::Prompt,
            ("text", "") => Kind::Text,
            _ => panic!("{place}: a block of the unknown kind `{info}`"),
        }
    }

    pub fn is_console(&self) -> bool {
        matches!(self, Kind::Console | Kind::Root)
    }
}

pub struct Block {
    pub kind: Kind,
    /// The number of the line behind the opening fence.
    pub first_line: usize,
    pub lines: Vec<String>,
}

pub struct Page {
    pub path: PathBuf,
    /// Relative to the root of the repository.
    pub name: String,
    pub text: String,
    pub blocks: Vec<Block>,
}

pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.canonicalize().expect("the repository")
}

impl Page {
    pub fn read(path: &Path) -> Page {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.strip_prefix(root()).expect("a page of ours");
        Page::of(path.into(), name.to_string_lossy().into(), text)
    }

    fn of(path: PathBuf, name: String, text: String) -> Page {
        let mut blocks = Vec::new();
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let Some(info) = line.strip_prefix("```") else {
                continue;
            };
            let place = format!("{name}:{number}");
            let mut block = Block {
                kind: Kind::of(info, &place),
                first_line: number + 1,
                lines: Vec::new(),
            };
            loop {
                match lines.next() {
                    Some(("```", _)) => break,
                    Some((line, _)) => block.lines.push(line.into()),
                    None => panic!("{place}: the block has no end"),
                }
            }
            blocks.push(block);
        }
        Page {
            path,
            name,
            text,
            blocks,
        }
    }

    /// All lines with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// The lines that are neither in a block of code nor one of its fences.
    pub fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(number, _)| {
            self.blocks.iter().all(|block| {
                let end = block.first_line + block.lines.len();
                *number + 1 < block.first_line || *number > end
            })
        })
    }

    /// True if the line belongs to an item of a list that started before it.
    pub fn in_list(&self, number: usize) -> bool {
        let above = self.text.lines().take(number).collect::<Vec<_>>();
        let start = above
            .iter()
            .rev()
            .find(|line| !line.starts_with(' ') && !line.is_empty());
        let numbered = |line: &str| line.starts_with(|c: char| c.is_ascii_digit());
        start.is_some_and(|line| line.starts_with(['-', '*']) || numbered(line))
    }

    /// Written by a program, not by hand.
    pub fn generated(&self) -> bool {
        self.text.contains("<!-- Written from ")
    }

    pub fn in_docs(&self) -> bool {
        self.name.starts_with("docs/")
    }

    /// The targets of the links in the prose, with the numbers of their lines.
    pub fn links(&self) -> impl Iterator<Item = (usize, String)> {
        self.prose().flat_map(|(number, line)| {
            let starts = line.match_indices("](").map(|(at, _)| &line[at + 2..]);
            let targets = starts.filter_map(|rest| rest.split_once(')'));
            let targets: Vec<String> = targets.map(|(target, _)| target.into()).collect();
            targets.into_iter().map(move |target| (number, target))
        })
    }
}

/// The anchors that mdBook gives the headings of a text.
pub fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            let kept = title.chars().filter(kept);
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// The markdown files under a directory, by their paths from there.
pub fn markdown_under(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "md") {
                let name = path.strip_prefix(dir).expect("inside");
                found.insert(name.to_string_lossy().into());
            }
        }
    }
    found
}

/// Every page whose code is run here: the book without the specification and the table of contents,
/// and the two pages that stand outside of it.
pub fn pages() -> Vec<Page> {
    let root = root();
    let book = markdown_under(&root.join("docs"));
    let own = book
        .iter()
        .filter(|name| !name.starts_with("spec/") && *name != "SUMMARY.md");
    let mut paths: Vec<PathBuf> = own.map(|name| root.join("docs").join(name)).collect();
    paths.extend([root.join("README.md"), root.join("seeds/README.md")]);
    paths.iter().map(|path| Page::read(path)).collect()
}

pub fn self_test() {
    let text = "# A\n\n```wisp file=a.wisp\n(b)\n```\ntext [x](y.md#z)\n- one\n    two\n";
    let page = Page::of("p".into(), "p".into(), text.into());
    assert_eq!(page.blocks.len(), 1);
    assert_eq!(page.blocks[0].kind, Kind::File("a.wisp".into()));
    assert_eq!(
        (page.blocks[0].first_line, page.blocks[0].lines.len()),
        (4, 1)
    );
    let prose: Vec<usize> = page.prose().map(|(number, _)| number).collect();
    assert_eq!(prose, [1, 2, 6, 7, 8]);
    assert!(page.in_list(8) && !page.in_list(6));
    assert_eq!(
        page.links().collect::<Vec<_>>(),
        [(6, String::from("y.md#z"))]
    );
    assert!(anchors("## What `a` is, and why").contains("what-a-is-and-why"));
}
