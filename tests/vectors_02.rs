//! The 1,167 vectors of chapter 02, section 6, through the console.
//!
//! A row is run along every way that reaches its operation, all in one console run:
//!
//! | way | what is evaluated |
//! |---|---|
//! | lazy | `(<15> (key args…))`, the row and every argument unevaluated |
//! | eager | the same, with the row and every app among the arguments evaluated first |
//! | law | an unpinned law that passes its parameters to `<15>` |
//! | wrapper | the same law pinned, its key written as the wrapper rule wants it |
//! | jet | a pinned law with the name of the operation and the constant 0 as its body |
//! | body … | a law body that builds the arguments and calls one of these |
//! | try … | a law body under Try |
//!
//! Invariants:
//! - a result is right only if the generic compare says so *and* its text is the expected one,
//!   which the tests print by themselves;
//! - a row that throws runs under Try only, its operands built inside the handler (6.2);
//! - every row of the four files runs, in both modes.

mod support;

use std::collections::HashMap;
use support::notation::{
    self, Term, apply, apply_texts, bodies, call_expression, parse_all, parse_one,
};
use support::{End, Mode, Plan, Tally, vectors};

#[test]
fn observed() {
    run("observed", 721, Mode::Plain);
}

#[test]
fn observed_stress() {
    run("observed", 721, Mode::Stress);
}

#[test]
fn order() {
    run("order", 143, Mode::Plain);
}

#[test]
fn order_stress() {
    run("order", 143, Mode::Stress);
}

#[test]
fn derived() {
    run("derived", 124, Mode::Plain);
}

#[test]
fn derived_stress() {
    run("derived", 124, Mode::Stress);
}

#[test]
fn required() {
    run("required", 179, Mode::Plain);
}

#[test]
fn required_stress() {
    run("required", 179, Mode::Stress);
}

/// How to reach an operation of the name table.
#[derive(Clone)]
struct Operation {
    /// The key of `<15>`, as console text.
    key: String,
    /// A name of table 1.4, if there is one.
    jet: Option<String>,
}

/// What a row must give.
enum Expect {
    Value(Term),
    /// Code `100 + k` and payload `k`.
    Throw(u32),
    /// A VM error of this kind: code 17, payload `(0 kind op detail)`.
    Error(String),
}

/// One way to run a row: its label, and console text that leaves the unevaluated result.
struct Way {
    label: String,
    text: String,
}

fn run(file: &str, count: usize, mode: Mode) {
    let operations = operations();
    let mut tally = Tally::new(format!("vectors 02 {file}{}", mode.suffix()));
    for (index, row) in vectors::fields(&format!("02-{file}.tsv"))
        .iter()
        .enumerate()
    {
        let [op, args, result] = &row[..] else {
            panic!("three fields expected: {row:?}")
        };
        let id = format!("{file} row {}: {op} {args} => {result}", index + 1);
        tally.row(
            &id,
            check(&operations, op, &parse_all(args), &expect(result), mode),
        );
    }
    tally.finish(count);
}

fn operations() -> HashMap<String, Operation> {
    let read = |f: &Vec<String>| {
        let jet = (f[3] != "-").then(|| f[3].clone());
        (
            f[0].clone(),
            Operation {
                key: f[1].clone(),
                jet,
            },
        )
    };
    vectors::fields("02-names.tsv").iter().map(read).collect()
}

fn expect(text: &str) -> Expect {
    match text.strip_prefix('!') {
        None => Expect::Value(parse_one(text)),
        Some(rest) => match rest.parse() {
            Ok(k) => Expect::Throw(k),
            Err(_) => Expect::Error(rest.to_string()),
        },
    }
}

/// Runs a row along all its ways and compares.
fn check(
    operations: &HashMap<String, Operation>,
    op: &str,
    args: &[Term],
    expect: &Expect,
    mode: Mode,
) -> Result<(), String> {
    let callees = callees(operations, op, args.len());
    let mut ways = Vec::new();
    if let Expect::Value(_) = expect {
        ways.extend(direct_ways(&callees, args));
        ways.extend(callees.iter().map(|c| Way {
            label: format!("body {}", c.label),
            text: format!("{} 0 A", c.law(args)),
        }));
    }
    ways.extend(callees.iter().map(|c| Way {
        label: format!("try {}", c.label),
        text: format!("8P (0 {} A 0 A E) A", c.law(args)),
    }));
    match expect {
        Expect::Value(value) => check_value(&ways, value, mode),
        Expect::Throw(k) => check_thrown(&ways, mode, |text| text == format!("{}[{k}]", 100 + k)),
        Expect::Error(kind) => {
            let start = format!("17[[{} ", notation::name(kind));
            check_thrown(&ways, mode, |text| text.starts_with(&start))
        }
    }
}

/// Something the arguments of a row can be given to.
enum Target {
    /// A value that is applied to the arguments.
    Value(String),
    /// `<15>`, applied to a row of the key and the arguments.
    Keyed(String),
}

struct Callee {
    label: &'static str,
    target: Target,
}

impl Callee {
    /// Console text of a law of arity 1 whose body makes the call with operands of its own.
    fn law(&self, args: &[Term]) -> String {
        let args = bodies(args);
        let call = match &self.target {
            Target::Value(value) => call_expression(value, &args),
            Target::Keyed(key) => {
                let row = call_expression(&format!("(0 {key} A)"), &args);
                format!("(0 15P A {row} A)")
            }
        };
        format!("({call} 1 \"b\" L)")
    }
}

fn callees(operations: &HashMap<String, Operation>, op: &str, arity: usize) -> Vec<Callee> {
    if op.starts_with(['<', '{']) {
        let value = parse_one(op).console();
        return vec![Callee {
            label: "value",
            target: Target::Value(value),
        }];
    }
    let operation = operations
        .get(op)
        .unwrap_or_else(|| panic!("no operation {op}"));
    let named = operation.jet.as_ref().map(|jet| format!("\"{jet}\""));
    let quoted = format!("(0 {} A)", operation.key);
    let wrapper_key = named.as_ref().unwrap_or(&quoted);
    let mut all = vec![
        Callee {
            label: "key",
            target: Target::Keyed(operation.key.clone()),
        },
        Callee {
            label: "law",
            target: Target::Value(passing_law(&quoted, arity)),
        },
        Callee {
            label: "wrapper",
            target: Target::Value(format!("({} P)", passing_law(wrapper_key, arity))),
        },
    ];
    if let Some(name) = named {
        let jet = format!("(0 {arity} {name} L P)");
        all.push(Callee {
            label: "jet",
            target: Target::Value(jet),
        });
    }
    all
}

/// Console text of a law whose body is `<15>` applied to the key and the parameters in order.
fn passing_law(key: &str, arity: usize) -> String {
    let parameters: Vec<String> = (1..=arity).map(|i| i.to_string()).collect();
    format!(
        "((0 15P A {} A) {arity} \"t\" L)",
        call_expression(key, &parameters)
    )
}

/// The ways that apply a callee on the console's stack, lazily and with evaluated arguments.
fn direct_ways(callees: &[Callee], args: &[Term]) -> Vec<Way> {
    let evaluated: Vec<String> = args.iter().map(Term::console_evaluated).collect();
    let mut ways = Vec::new();
    for Callee { label, target } in callees {
        let (lazy, eager) = match target {
            Target::Value(value) => (apply(value, args), apply_texts(value, &evaluated)),
            Target::Keyed(key) => (
                format!("(15P {} A)", apply(key, args)),
                format!("(15P {} E A)", apply_texts(key, &evaluated)),
            ),
        };
        ways.push(Way {
            label: format!("lazy {label}"),
            text: lazy,
        });
        ways.push(Way {
            label: format!("eager {label}"),
            text: eager,
        });
    }
    ways
}

/// Console text: with the expected value below the result, push what the generic compare says.
const COMPARE: &str = "15P \"Cmp\" 3 push A 2 push A A E . drop";

fn check_value(ways: &[Way], value: &Term, mode: Mode) -> Result<(), String> {
    let mut text = format!("1000000 pdepth {} F _\n", value.console());
    let printed = value.printed();
    let mut want = vec![("expected value".to_string(), printed.clone())];
    for way in ways {
        if way.label.starts_with("try") {
            text += &format!("{} F .\n", way.text);
            let caught = Term::App(vec![Term::nat(0), value.clone()]);
            want.push((way.label.clone(), caught.printed()));
        } else {
            text += &format!("{} F _ {COMPARE}\n", way.text);
            want.push((way.label.clone(), printed.clone()));
            want.push((format!("{} compared", way.label), "1".to_string()));
        }
    }
    let got = Plan::console(&text).mode(mode).run();
    let out = got.out();
    let lines: Vec<&str> = out.lines().collect();
    for (index, (label, want)) in want.iter().enumerate() {
        let line = lines.get(index).copied();
        if line.map(notation::normal_numbers).as_ref() != Some(want) {
            return Err(format!(
                "{label}: expected {want:?}, got {line:?}; {}\n    input {text:?}",
                got.describe()
            ));
        }
    }
    ended_well(&got, lines.len() == want.len(), &text)
}

/// Every way ends in an exception that `right` accepts; the text is what Try returns.
fn check_thrown(ways: &[Way], mode: Mode, right: impl Fn(&str) -> bool) -> Result<(), String> {
    let mut text = String::from("1000000 pdepth\n");
    for way in ways {
        text += &format!("{} F .\n", way.text);
    }
    let got = Plan::console(&text).mode(mode).run();
    let out = got.out();
    let lines: Vec<&str> = out.lines().collect();
    for (index, way) in ways.iter().enumerate() {
        let line = lines.get(index).copied();
        if !line.is_some_and(&right) {
            let label = &way.label;
            return Err(format!(
                "{label}: got {line:?}; {}\n    input {text:?}",
                got.describe()
            ));
        }
    }
    ended_well(&got, lines.len() == ways.len(), &text)
}

fn ended_well(got: &support::Outcome, complete: bool, text: &str) -> Result<(), String> {
    if complete && got.end == End::Status(0) {
        Ok(())
    } else {
        Err(format!("wrong end: {}\n    input {text:?}", got.describe()))
    }
}
