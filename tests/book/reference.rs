//! The library reference, docs/library: written from the sources' order and headings and from the
//! doc strings that the environment holds.
//!
//! Invariants:
//! - there is a page for every module but std, and the table of the modules in index.md;
//! - a name stands where its module defines it last; private names (%) and names without a doc
//!   string are left out;
//! - examples become blocks that the book's tests run.

use super::forms::{elements, ranges};
use super::page::root;
use crate::support::{Plan, scratch_dir};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const MARK: &str = "<!-- Written from lib by `PLAN_BLESS=1 cargo test --test book library`. -->";

/// Prints the doc strings, each behind its name, with operations alone.
const LISTING: &str = r#"
(%def %put (Pin (law (%put s k) (Seq (xwrite 1 s (Bytes s) 0) k))))
(%def %all (Pin (law (%all t k)
  (If t
    (%all (Ix3 t) (%put 1 (%put (Ix0 t) (%put 2 (%put (Ix1 t) (%all (Ix4 t) k))))))
    k))))
(%macro %list (law (%list env form)
  (%all (Ix1 (%find "__DOC" env)) (0 env (1 0)))))
(%list)
"#;

/// The doc strings by name as they are once a module is loaded.
fn docs(module: &str) -> BTreeMap<String, String> {
    let file = scratch_dir("book-reference").join("listing.wisp");
    fs::write(&file, format!("(require \"{module}\"){LISTING}")).expect("a scratch file");
    let library = root().join("lib").into_os_string();
    let args = ["wisp".into(), "-I".into(), library, file.into_os_string()];
    let got = Plan::new(args).limit_seconds(60).run();
    assert!(
        got.ended() && got.err().is_empty(),
        "{module}: {}",
        got.describe()
    );
    let text = got.out();
    let entries = text.split('\u{1}').skip(1);
    entries
        .map(|entry| {
            let (name, doc) = entry.split_once('\u{2}').expect("a name and a text");
            (name.into(), doc.into())
        })
        .collect()
}

/// The modules in the order in which std brings them.
fn modules() -> Vec<String> {
    let mut found = Vec::new();
    visit("std", &mut found);
    found.pop();
    found
}

fn source(module: &str) -> String {
    let path = root().join("lib").join(format!("{module}.wisp"));
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn visit(module: &str, found: &mut Vec<String>) {
    for line in source(module).lines() {
        let required = line.strip_prefix("(require \"");
        let Some(name) = required.and_then(|rest| rest.strip_suffix("\")")) else {
            break;
        };
        if !found.iter().any(|known| known == name) {
            visit(name, found);
        }
    }
    found.push(module.into());
}

/// The comment at the head of a module: what it is, and the items of what always holds.
fn head(module: &str) -> (Vec<String>, Vec<String>) {
    let text = source(module);
    let lines = text.lines().skip_while(|line| line.starts_with("(require"));
    let comment = lines.map_while(|line| line.strip_prefix(';'));
    let comment: Vec<&str> = comment
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let at = comment.iter().position(|line| *line == "Invariants:");
    let at = at.unwrap_or_else(|| panic!("{module}: no invariants"));
    let owned = |lines: &[&str]| lines.iter().map(|line| line.to_string()).collect();
    (owned(&comment[..at]), owned(&comment[at + 1..]))
}

/// How a definition is used, and the name it defines: `(f a b)`, `f`.
fn signature(form: &str) -> Option<(String, String)> {
    let parts = elements(form);
    let list = |sig: &str| {
        let words = elements(sig);
        Some((sig.to_string(), words.first()?.to_string()))
    };
    let plain = |name: &str| Some((name.to_string(), name.to_string()));
    match (*parts.first()?, *parts.get(1)?) {
        ("defun" | "define", sig) if sig.starts_with('(') => list(sig),
        ("defmacro", sig) => plain(elements(sig).first()?),
        ("macro" | "define", name) => plain(name),
        ("def", name) => {
            let law = parts
                .get(2)
                .and_then(|value| value.strip_prefix("(Pin (law "));
            let sig = law.and_then(|rest| rest.split_once(')'));
            match sig.map(|(sig, _)| format!("{sig})")) {
                Some(sig) if sig.starts_with(&format!("({name} ")) => list(&sig),
                _ => plain(name),
            }
        }
        ("%op", _) => {
            let words = parts.get(2..parts.len() - 1)?.join(" ");
            Some((format!("({words})"), parts[2].to_string()))
        }
        _ => None,
    }
}

/// A line of a doc string as markdown.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "\\*_`<[".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A line of a doc string as markdown, a form that it begins with as code.
fn line_of_doc(line: &str) -> String {
    let form = ranges(line).first().map_or(0, |(_, end)| *end);
    let (form, rest) = line.split_at(form);
    match line.starts_with(['(', '[', '{']) && !form.contains('`') {
        true => format!("`{form}`{}", escaped(rest)),
        false => escaped(line),
    }
}

/// Double quotes for the apostrophes of an example that have no bracket behind them: a doc string
/// cannot contain double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let bracket = rest.peek().is_some_and(|next| "([{".contains(*next));
        out.push(if c == '\'' && !bracket { '"' } else { c });
    }
    out
}

fn entry(out: &mut String, signature: &str, doc: &str) {
    let fence = if signature.contains('`') { "``" } else { "`" };
    let pad = if fence == "``" { " " } else { "" };
    let _ = writeln!(out, "\n### {fence}{pad}{signature}{pad}{fence}\n");
    let (mut prose, mut examples) = (String::new(), String::new());
    for line in doc.lines() {
        match line.split_once("  => ") {
            Some((expression, value)) => {
                let _ = writeln!(examples, "{}  ; => {}", quoted(expression), quoted(value));
            }
            None => {
                let _ = writeln!(prose, "{}", line_of_doc(line));
            }
        }
    }
    out.push_str(&prose);
    if !examples.is_empty() {
        let _ = write!(out, "\n```wisp\n{examples}```\n");
    }
}

/// The headings (`;; Title`) and definitions of a module in order: (signature, name) or a title.
fn outline(module: &str) -> Vec<Result<(String, String), String>> {
    let text = source(module);
    let mut items: Vec<Result<(String, String), String>> = Vec::new();
    let mut at = 0;
    for (from, to) in ranges(&text) {
        let titles = text[at..from]
            .lines()
            .filter_map(|line| line.strip_prefix(";; "));
        items.extend(titles.map(|title| Err(title.to_string())));
        if let Some((signature, name)) = signature(&text[from..to]) {
            items.retain(|item| item.as_ref().map_or(true, |(_, old)| *old != name));
            items.push(Ok((signature, name)));
        }
        at = to;
    }
    items
}

fn page(module: &str) -> String {
    let docs = docs(module);
    let (what, invariants) = head(module);
    let mut out = format!("# {module}\n\n{MARK}\n\n");
    for line in what {
        let _ = writeln!(out, "{}", escaped(&line));
    }
    out.push_str("What always holds:\n\n");
    for line in invariants {
        let _ = writeln!(out, "{}", escaped(&line));
    }
    for item in outline(module) {
        match item {
            Err(title) => {
                let _ = writeln!(out, "\n## {}", escaped(&title));
            }
            Ok((signature, name)) if !name.starts_with('%') => {
                if let Some(doc) = docs.get(&name) {
                    entry(&mut out, &signature, doc);
                }
            }
            Ok(_) => {}
        }
    }
    out
}

fn index(modules: &[String]) -> String {
    let mut out = format!("# The library\n\n{MARK}\n\n{INTRO}");
    for module in modules {
        let (what, _) = head(module);
        let text: Vec<String> = what.iter().map(|line| escaped(line)).collect();
        let first = text.join(" ").replace("- ", "-");
        let first = first.split(". ").next().unwrap_or_default().trim();
        let _ = writeln!(
            out,
            "| [{module}]({module}.md) | {} |",
            first.trim_end_matches('.')
        );
    }
    out
}

const INTRO: &str = "\
The modules of the built-in library, in the order in which `(require \"std\")` brings them. A module\n\
can be required alone: it brings what it needs itself. Each page lists the names of one module in the\n\
order of their definition, with their doc strings, which `__DOC` in the environment holds.\n\
\n\
A block shows expressions with their values; the tests of this book evaluate them. Where a doc\n\
string writes 'ab' in its text it means the string \"ab\": a string cannot contain double quotes.\n\
\n\
| module | what it is |\n\
|---|---|\n";

/// Compares the pages with what they should be, or writes them with PLAN_BLESS=1.
pub fn check() {
    let modules = modules();
    let mut wanted: Vec<(String, String)> = modules
        .iter()
        .map(|module| (module.clone(), page(module)))
        .collect();
    wanted.push(("index".into(), index(&modules)));
    let dir = root().join("docs/library");
    let bless = std::env::var_os("PLAN_BLESS").is_some();
    let mut stale = Vec::new();
    for (name, text) in &wanted {
        let path = dir.join(format!("{name}.md"));
        if bless {
            fs::create_dir_all(&dir).expect("docs/library");
            fs::write(&path, text).expect("docs/library is writable");
        }
        let have = fs::read_to_string(&path).unwrap_or_default();
        let line = have.lines().zip(text.lines()).take_while(|(a, b)| a == b);
        if have != *text {
            stale.push(format!("docs/library/{name}.md, line {}", line.count() + 1));
        }
    }
    assert!(
        stale.is_empty(),
        "not what the library says (write it anew: PLAN_BLESS=1 cargo test --test book library): \
         {stale:?}"
    );
    let files = super::page::markdown_under(&dir).len();
    assert_eq!(files, wanted.len(), "docs/library has a page of no module");
}
