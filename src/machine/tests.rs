//! The evaluator on small programs, built the way an embedder builds them.

use super::*;
use crate::nat;
use crate::prim::ENGINE;
use hashbrown::HashMap;

mod depth;
mod differential;
mod generate;
mod memory;
mod stopping;

/// A program text of the tests: `(f x y)` applies, `[h x y]` is a closure, `{n a b}` a law, `<x>` a
/// pin, `"name"` and numbers are naturals, `#name` and `$name` values that lie on the stack.
pub(super) struct Reader<'a> {
    pub(super) text: &'a [u8],
    pub(super) m: &'a mut Machine,
    pub(super) names: &'a HashMap<String, usize>,
}

impl Reader<'_> {
    fn peek(&mut self) -> u8 {
        while self.text.first().is_some_and(|b| b.is_ascii_whitespace()) {
            self.text = &self.text[1..];
        }
        self.text.first().copied().unwrap_or(0)
    }

    fn until(&mut self, close: u8) -> usize {
        self.text = &self.text[1..];
        let mut n = 0;
        while self.peek() != close {
            self.value();
            n += 1;
        }
        self.text = &self.text[1..];
        n
    }

    pub(super) fn value(&mut self) {
        match self.peek() {
            b'(' => {
                let n = self.until(b')');
                self.m.make_app(n - 1).expect("memory");
            }
            b'[' => {
                let n = self.until(b']');
                self.m.make_row(n - 1).expect("memory");
                self.m.force_top().expect("normal form");
            }
            b'{' => {
                assert_eq!(self.until(b'}'), 3);
                let (name, body) = (self.m.top(2), self.m.top(0));
                self.m.set_top(2, body);
                self.m.set_top(0, name);
                self.m.make_law().expect("law");
            }
            b'<' => {
                assert_eq!(self.until(b'>'), 1);
                self.m.pin_top().expect("pin");
            }
            b'"' => {
                self.text = &self.text[1..];
                let n = self.text.iter().position(|b| *b == b'"').expect("quote");
                let limbs = nat::bytes_to_limbs(&self.text[..n]);
                self.text = &self.text[n + 1..];
                self.m.push_nat(&limbs).expect("memory");
            }
            b'#' | b'$' => {
                let rest = &self.text[1..];
                let n = rest
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric())
                    .count();
                let name = core::str::from_utf8(&self.text[..n + 1]).expect("name");
                let place = self.names[name];
                self.text = &rest[n..];
                self.m.push(self.m.nth(place));
            }
            _ => {
                let n = self.text.iter().take_while(|b| b.is_ascii_digit()).count();
                assert!(n > 0, "unexpected {:?}", self.text.first());
                let limbs = nat::from_decimal(&self.text[..n]);
                self.text = &self.text[n..];
                self.m.push_nat(&limbs).expect("memory");
            }
        }
    }
}

pub(super) fn options(stress: bool) -> Options {
    let floor = if stress { 5 } else { DEFAULT_FLOOR };
    Options {
        stress,
        verify: stress,
        floor,
        stack_bytes: 64 << 20,
        ..Options::default()
    }
}

fn shown(m: &Machine) -> String {
    let mut text = Vec::new();
    let style = crate::value::print::Style {
        depth_limit: 99,
        ..crate::value::print::Style::CONSOLE
    };
    crate::value::print::show(m.top(0), &style, &mut text).expect("memory");
    String::from_utf8(text).expect("text")
}

/// Evaluates a text to normal form and shows it, in ordinary and in stress mode.
fn run(text: &str) -> String {
    let results = [false, true].map(|stress| {
        let mut m = Machine::new(options(stress), &ENGINE).expect("memory");
        Reader {
            text: text.as_bytes(),
            m: &mut m,
            names: &HashMap::new(),
        }
        .value();
        match m.force_top() {
            Ok(()) => {
                m.verify().expect("sound heap");
                shown(&m)
            }
            Err(Stop::Loop) => "<<loop>>".into(),
            Err(Stop::Thrown) => {
                let payload = shown(&m);
                m.drop_top(1);
                format!("!{} {payload}", shown(&m))
            }
        }
    });
    assert_eq!(results[0], results[1], "stress mode differs on {text}");
    results[0].clone()
}

/// `0[f x]` for each application of a body.
fn ap(f: &str, xs: &[&str]) -> String {
    xs.iter().fold(f.to_string(), |f, x| format!("[0 {f} {x}]"))
}

fn jet(name: &str, arity: usize) -> String {
    format!("<{{\"{name}\" {arity} 0}}>")
}

#[test]
fn naturals_and_closures() {
    assert_eq!(run("7"), "7");
    assert_eq!(run("(7 5)"), "7[5]");
    assert_eq!(run("(<2> 41)"), "42");
    assert_eq!(run("(<3> 1 2 3 4 5 (7 8 9))"), "3[7[8] 9]");
    assert_eq!(run("(<0> 1 2 3 4 5 6 7)"), "4");
    assert_eq!(run("({\"id\" 1 1} <2> 7 8)"), "8[8]");
    assert_eq!(run("(<8> (0 <21> 3))"), "21[3]");
    assert_eq!(run("(<21> 3)"), "!21 3");
    assert_eq!(run("(<8> 5)"), "!17 [30518463019901282 7959124 0]");
}

#[test]
fn a_recursive_law() {
    let lt = ap(&jet("Lt", 2), &["1", "[0 2]"]);
    let call = |n: &str| ap("0", &[&ap(&jet("Sub", 2), &["1", n])]);
    let sum = ap(&jet("Add", 2), &[&call("[0 1]"), &call("[0 2]")]);
    let body = ap(&jet("If", 3), &[&lt, "1", &sum]);
    assert_eq!(run(&format!("({{\"fib\" 1 {body}}} 15)")), "610");
    assert_eq!(run(&format!("(<{{\"fib\" 1 {body}}}> 15)")), "610");
}

#[test]
fn lets_are_shared_and_cyclic() {
    assert_eq!(run("({\"loop\" 1 [1 2 2]} 9)"), "<<loop>>");
    let inc = |x: &str| ap("<2>", &[x]);
    assert_eq!(
        run(&format!("({{\"blk\" 1 [1 {} 2]}} 9)", inc("2"))),
        "<<loop>>"
    );
    let cyc = ap("[0 0]", &["1", "2"]);
    assert_eq!(run(&format!("({{\"cyc\" 1 [1 {cyc} 2]}} 9)")), "<<loop>>");
    let two = ap("[0 0]", &["2", "2"]);
    assert_eq!(
        run(&format!("({{\"two\" 1 [1 {} {two}]}} 9)", inc("1"))),
        "[10 10]"
    );
}

#[test]
fn a_function_that_is_an_application_of_itself_is_a_loop() {
    assert_eq!(
        run(&format!("({{\"one\" 1 [1 {} 2]}} 9)", ap("2", &["1"]))),
        "<<loop>>"
    );
    let (first, second, third) = (ap("3", &["1"]), ap("4", &["1"]), ap("3", &["1", "1"]));
    assert_eq!(
        run(&format!(
            "({{\"far\" 1 [1 {first} [1 {second} [1 {third} 2]]]}} 9)"
        )),
        "<<loop>>"
    );
}

/// A law with these lets and this body, applied to 9.
fn with_lets(lets: &[String], body: String) -> String {
    let body = lets
        .iter()
        .rev()
        .fold(body, |rest, e| format!("[1 {e} {rest}]"));
    format!("({{\"lets\" 1 {body}}} 9)")
}

fn add(a: &str, b: &str) -> String {
    ap(&jet("Add", 2), &[a, b])
}

/// A let that only the part of a body too deep to compile reads lies beside those others use.
#[test]
fn lets_of_a_deep_expression_have_slots_of_their_own() {
    let lets = ["5", "6", "7"].map(|n| ap("[0 0]", &[&format!("[0 {n}]"), "1"]));
    let mut deep = ap(&jet("Ix", 2), &["[0 0]", "3"]);
    for _ in 0..140 {
        deep = ap("<2>", &[&deep]);
    }
    let size = |slot: &str| ap(&jet("Sz", 1), &[slot]);
    let twice = |slot: &str| add(&size(slot), &size(slot));
    let body = add(&add(&twice("2"), &twice("4")), &deep);
    assert_eq!(run(&with_lets(&lets, body)), "154");
}

/// Slots from 63 on are told apart by no set of slots; those that nothing reads have no place.
#[test]
fn branches_in_a_law_of_many_lets_build_only_what_is_read() {
    let row = |n: u64| ap("[0 0]", &[&format!("[0 {n}]"), "1"]);
    let mut lets: Vec<String> = (2..70).map(|_| "[0 0]".into()).collect();
    lets[3 - 2] = row(5);
    lets[4 - 2] = row(7);
    lets[68 - 2] = row(6);
    lets[69 - 2] = "3".into();
    let chosen = ap(&jet("If", 3), &["1", "68", &ap("[0 0]", &["68"])]);
    let sizes = add(&ap(&jet("Sz", 1), &["4"]), &ap(&jet("Sz", 1), &["4"]));
    let body = add(&ap(&jet("Ix", 2), &["[0 0]", &chosen]), &sizes);
    assert_eq!(run(&with_lets(&lets, body)), "10");
}
