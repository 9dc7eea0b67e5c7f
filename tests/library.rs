//! The library under `lib/`: its own tests pass, every public name is documented and tested, and
//! the examples in the documentation are true.
//!
//! Invariants:
//! - modules are read from `lib/`, as a user's own files are;
//! - a name that starts with `%` is private to the library, every other one is public;
//! - in an example, `(expr)  => value`, an apostrophe stands for a double quote unless a bracket
//!   follows it, because a string cannot contain double quotes.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Input, Mode, Outcome, Plan, scratch_dir};

/// Modules small enough for a collection at every allocation.
const SMALL: [&str; 3] = ["op", "base", "quote"];

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lib")
}

/// The names of the modules that have a file of that suffix in a directory, sorted.
fn modules(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let wisp = paths.filter(|path| path.extension().is_some_and(|suffix| suffix == "wisp"));
    let mut names: Vec<String> = wisp
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into())
        .collect();
    names.sort();
    names
}

fn source(module: &str) -> String {
    let path = library().join(format!("{module}.wisp"));
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Loads a file with the library on the search path; it must end well and say nothing.
fn loads(plan: Plan, what: &str) -> Outcome {
    let got = plan.run();
    assert!(
        got.ended() && got.err().is_empty(),
        "{what}: {}",
        got.describe()
    );
    got
}

fn wisp(file: &Path) -> Plan {
    let args = ["wisp".into(), "-I".into(), library().into_os_string()];
    let mut args = Vec::from(args);
    args.push(file.into());
    Plan::new(args)
}

/// A module's tests run in an empty directory; `X.in` is their standard input, `X.out` what they
/// have to write.
fn module_passes(name: &str) {
    let tests = library().join("tests");
    let beside =
        |suffix: &str| fs::read(tests.join(format!("{name}.{suffix}"))).unwrap_or_default();
    let plan = wisp(&tests.join(format!("{name}.wisp")))
        .dir(scratch_dir("library"))
        .input(Input::Bytes(beside("in")));
    let got = loads(plan, name);
    let expected = String::from_utf8(beside("out")).expect("text");
    assert_eq!(got.out(), expected, "{name}");
}

#[test]
fn modules_pass_their_tests() {
    for name in modules(&library().join("tests")) {
        module_passes(&name);
    }
}

/// The library is loaded as far as the module needs it, since loading all of it takes minutes here.
#[test]
fn small_modules_pass_with_a_collection_at_every_allocation() {
    for name in SMALL {
        let path = library().join("tests").join(format!("{name}.wisp"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let rest = text.strip_prefix("(require \"std\")\n").expect("std first");
        let program = format!("(require \"{name}\")\n(require \"check\")\n{rest}");
        let file = scratch_dir("library-stress").join("tests.wisp");
        fs::write(&file, program).expect("a scratch file");
        loads(wisp(&file).limit_seconds(120).mode(Mode::Stress), name);
    }
}

/// The symbols and numbers of a text.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "()[]{}\";".contains(c))
        .filter(|token| !token.is_empty())
}

/// The public names that the forms of a module define; a definition starts a line.
fn defined(module: &str) -> BTreeSet<String> {
    let text = source(module);
    let names = text.lines().filter_map(|line| {
        let mut words = tokens(line.strip_prefix('(')?);
        match words.next()? {
            "def" | "define" | "defun" | "defmacro" | "macro" => words.next(),
            "%op" => words.nth(1),
            _ => None,
        }
    });
    let names = names.map(str::to_string).collect();
    public(&names).cloned().collect()
}

#[test]
fn every_public_name_occurs_in_its_module_s_tests() {
    let mut missing = Vec::new();
    for module in modules(&library()) {
        if module == "std" {
            continue;
        }
        let path = library().join("tests").join(format!("{module}.wisp"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{module}: {e}"));
        let used: BTreeSet<&str> = tokens(&text).collect();
        // The brackets stand for these two.
        let occurs = |name: &str| match name {
            "BRACED" => text.contains('['),
            "CURLED" => text.contains('{'),
            _ => used.contains(name),
        };
        let names = defined(&module).into_iter();
        missing.extend(
            names
                .filter(|name| !occurs(name))
                .map(|name| format!("{module}: {name}")),
        );
    }
    assert!(missing.is_empty(), "not tested: {missing:?}");
}

/// Prints the public names of everything, then the documentation.
const LISTING: &str = r#"
(require "std")
(defun (%nodes env rest)
  (Ifz env rest (%nodes (Ix3 env) [env (%nodes (Ix4 env) rest)])))
(defmacro (%list env form)
  (@ docs (Ix1 (getenv "__DOC" env)))
  (do
    (leach {node -> (print-line (strWeld "name " (Ix0 node)))} (%nodes env 0))
    (leach {node -> (print-line (str-concat ["doc " (Ix0 node) 10 (Ix1 node)]))} (%nodes docs 0))
    [env (1 0)]))
(%list)
"#;

struct Listing {
    names: BTreeSet<String>,
    documented: BTreeSet<String>,
    /// The first line of each doc string.
    summaries: Vec<String>,
    examples: Vec<(String, String)>,
}

fn listing() -> Listing {
    let file = scratch_dir("library-listing").join("listing.wisp");
    fs::write(&file, LISTING).expect("a scratch file");
    let text = loads(wisp(&file), "listing").out();
    let mut all = Listing {
        names: BTreeSet::new(),
        documented: BTreeSet::new(),
        summaries: Vec::new(),
        examples: Vec::new(),
    };
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("name ") {
            all.names.insert(name.into());
        } else if let Some(name) = line.strip_prefix("doc ") {
            all.documented.insert(name.into());
            all.summaries.extend(lines.next().map(str::to_string));
        } else if let Some((expression, value)) = line.split_once("  => ")
            && expression.starts_with(['(', '['])
        {
            all.examples.push((expression.into(), value.into()));
        }
    }
    all
}

/// What the language has without the library.
const BUILT_IN: [&str; 8] = [
    "law", "macro", "def", "Pin", "eval", "__REPL", "__DOC", "__PRINT",
];

fn public(names: &BTreeSet<String>) -> impl Iterator<Item = &String> {
    let private = |name: &str| name.starts_with('%') || BUILT_IN.contains(&name);
    names.iter().filter(move |name| !private(name))
}

#[test]
fn every_public_name_is_documented() {
    let all = listing();
    let missing: Vec<_> = public(&all.names)
        .filter(|name| !all.documented.contains(*name))
        .collect();
    assert!(all.names.len() > 500, "{} names", all.names.len());
    assert!(missing.is_empty(), "not documented: {missing:?}");
    let summaries = all.summaries.iter();
    let unfinished: Vec<_> = summaries
        .filter(|line| !line.ends_with(['.', ':']))
        .collect();
    assert!(unfinished.is_empty(), "no sentence: {unfinished:?}");
}

/// What no module's tests may do, because they have to be silent there.
#[test]
fn print_error_writes_to_standard_error() {
    let file = scratch_dir("library-error").join("error.wisp");
    fs::write(&file, "(require \"std\") (print-error \"oh\")").expect("a scratch file");
    let got = wisp(&file).run();
    assert_eq!((got.out().as_str(), got.err().as_str()), ("", "oh\n"));
    assert!(got.ended(), "{}", got.describe());
}

#[test]
fn every_module_is_in_std() {
    let all = modules(&library());
    let sources: String = all.iter().map(|name| source(name)).collect();
    for name in all.iter().filter(|name| *name != "std") {
        let required = format!("(require \"{name}\")");
        assert!(sources.contains(&required), "nobody requires {name}");
    }
}

/// Double quotes for the apostrophes of an example that have no bracket behind them.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let bracket = rest.peek().is_some_and(|next| "([{".contains(*next));
        out.push(if c == '\'' && !bracket { '"' } else { c });
    }
    out
}

#[test]
fn examples_in_the_documentation_are_true() {
    let all = listing();
    let mut program = String::from("(require \"std\")\n");
    for (expression, value) in &all.examples {
        program += &format!("(tests ({} {}))\n", quoted(value), quoted(expression));
    }
    let dir = scratch_dir("library-examples");
    let file = dir.join("examples.wisp");
    fs::write(&file, program).expect("a scratch file");
    assert!(all.examples.len() > 200, "{} examples", all.examples.len());
    loads(wisp(&file).dir(dir), "examples");
}
