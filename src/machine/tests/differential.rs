//! The two evaluators of law bodies side by side: compiled laws against bodies expanded step by
//! step as chapter 01 §5.3 writes it, which is the naive model.
//!
//! Invariants:
//! - Both run the same text on the same operations; only how a law body is run differs.
//! - What is compared is the normal form or the exception, and the log of effects in order.
//! - A run that ends for lack of stack or memory is no result: it is skipped, and skips are
//!   counted.

use super::generate::{self, Expr, JETS, LIBRARY, Program};
use super::*;
use crate::heap::code;
use crate::machine::opcode::Opcode;
use crate::prim::{jets, names, table};
use core::sync::atomic::{AtomicU64, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The engine that expands every body.
static EXPANDING: Engine = Engine {
    ops: &table::OPS,
    code_of: jets::code_of,
    op_by_key: names::by_key,
    compile: |_, callee| {
        let law = if callee.is_pin() {
            callee.item()
        } else {
            callee
        };
        let arity = law.law_arity().saturated() as u32;
        code::allocate(&[], &[Opcode::Expand as u32, arity])
    },
    names: OpNames {
        pin: 0,
        law: 1,
        buffer: table::pinned(14),
        numbered: table::pinned(15),
    },
};

/// Steps after which a law that could run away throws.
const MAX_STEPS: u64 = 2000;
/// Most steps of a program that is also run in stress mode, where every object costs a collection.
const MAX_STRESSED: u64 = 50;
/// Words of the log: 96 entries of five bits.
const LOG_WORDS: usize = 8;
/// Nodes of a result that are shown.
const MAX_SHOWN: usize = 3000;

/// Programs a machine runs: it never gives up the pins they make, and checks all of them.
const PER_MACHINE: u64 = 100;

/// What programs write to: the log of their effects, and a count of steps.
struct Effects {
    words: Box<[AtomicU64; LOG_WORDS + 1]>,
}

impl Effects {
    fn new() -> Effects {
        Effects {
            words: Box::new([const { AtomicU64::new(0) }; LOG_WORDS + 1]),
        }
    }

    fn clear(&self) {
        self.words.iter().for_each(|w| w.store(0, Ordering::SeqCst));
    }

    /// The entries, the last first.
    fn log(&self) -> Vec<u8> {
        let words = &self.words[..LOG_WORDS];
        let bit = |i: usize| words[i / 64].load(Ordering::SeqCst) >> (i % 64) & 1;
        let entry = |n: usize| (0..5).map(|i| (bit(5 * n + i) as u8) << i).sum();
        (0..96).map(entry).take_while(|n| *n != 0).collect()
    }

    fn steps(&self) -> u64 {
        self.words[LOG_WORDS].load(Ordering::SeqCst)
    }

    /// `tick k x` puts k in front of the log and goes on with x; `step x` counts, and throws when
    /// the count is too high.
    fn laws(&self) -> [(&'static str, String); 2] {
        let log = self.words.as_ptr().expose_provenance();
        let steps = log + 8 * LOG_WORDS;
        let call = |f: &str, xs: &[Expr]| Expr::call(f, xs.to_vec());
        let n = |n: usize| Expr::constant(n.to_string());
        let peek = |at, bytes| call("<6>", &[call("0", &[n(at), n(0), n(bytes)])]);
        let poke =
            |at, v, bytes| call("<7>", &[call("0", &[n(at), Expr::Slot(v), n(0), n(bytes)])]);
        let seq = |a, b| call("#Seq", &[a, b]);
        let shifted = call("#Mul", &[n(32), peek(log, 60)]);
        let sum = call("#Trunc", &[n(480), call("#Add", &[shifted, Expr::Slot(1)])]);
        let tick = generate::Law {
            arity: 2,
            exprs: vec![
                sum,
                seq(Expr::Slot(3), seq(poke(log, 3, 60), Expr::Slot(2))),
            ],
            pinned: false,
        };
        let count = call("#Trunc", &[n(64), call("#Inc", &[peek(steps, 8)])]);
        let over = call("#Lt", &[n(MAX_STEPS as usize), Expr::Slot(2)]);
        let stop = call("#If", &[over, call("<99>", &[n(0)]), n(0)]);
        let step = generate::Law {
            arity: 1,
            exprs: vec![count, seq(Expr::Slot(2), seq(poke(steps, 2, 8), stop))],
            pinned: false,
        };
        [("tick", tick.text("tick")), ("step", step.text("step"))]
    }
}

/// A machine with operations and library at the bottom of its stack.
struct Rig<'a> {
    m: Box<Machine>,
    names: HashMap<String, usize>,
    bottom: usize,
    effects: &'a Effects,
}

impl<'a> Rig<'a> {
    fn new(engine: &'static Engine, stress: bool, effects: &'a Effects) -> Rig<'a> {
        let options = Options {
            stack_bytes: 8 << 20,
            heap_bytes: 64 << 20,
            ..options(stress)
        };
        let mut rig = Rig {
            m: Machine::new(options, engine).expect("memory"),
            names: HashMap::new(),
            bottom: 0,
            effects,
        };
        for (name, arity) in JETS {
            rig.define(&format!("#{name}"), &jet(name, *arity));
        }
        for (name, law) in effects.laws() {
            rig.define(&format!("#{name}"), &law);
        }
        for (name, arity, body) in LIBRARY {
            rig.define(
                &format!("#{name}"),
                &format!("{{\"{name}\" {arity} {body}}}"),
            );
        }
        rig.bottom = rig.m.depth();
        rig
    }

    fn read(&mut self, text: &str) {
        Reader {
            text: text.as_bytes(),
            m: &mut self.m,
            names: &self.names,
        }
        .value();
    }

    fn define(&mut self, name: &str, text: &str) {
        self.read(text);
        self.names.insert(name.into(), self.m.depth() - 1);
    }

    /// Runs a program: its result and the log, or `None` for lack of memory.
    fn run(&mut self, p: &Program) -> Option<String> {
        self.effects.clear();
        self.m.drop_top(self.m.depth() - self.bottom);
        for (i, law) in p.laws.iter().enumerate() {
            self.define(&format!("$f{i}"), &law.text(&format!("f{i}")));
        }
        self.read(&format!("($f{} {})", p.laws.len() - 1, p.args.join(" ")));
        let result = match self.m.force_top() {
            Ok(()) => {
                self.m.verify().expect("sound heap");
                bounded(&[self.m.top(0)])
            }
            Err(Stop::Loop) => "<<loop>>".into(),
            Err(Stop::Thrown) => {
                let text = bounded(&[self.m.top(1), self.m.top(0)]);
                self.m.drop_top(2);
                format!("throws {text}")
            }
        };
        let limit = nat::bytes_to_limbs(b"limit")[0];
        if result.contains(&format!("[0 {limit} 0 ")) {
            return None;
        }
        Some(format!("{result} after {:?}", self.effects.log()))
    }
}

/// The first nodes of values in normal form, in the order of reading.
fn bounded(values: &[Value]) -> String {
    let mut text = String::new();
    let mut work: Vec<Result<Value, &str>> = values.iter().rev().map(|v| Ok(*v)).collect();
    for _ in 0..MAX_SHOWN {
        let v = match work.pop() {
            None => break,
            Some(Err(close)) => {
                text.push_str(close);
                continue;
            }
            Some(Ok(v)) => v,
        };
        if v.is_nat() {
            text.push_str(&format!("{} ", shown_nat(v)));
            continue;
        }
        let (open, close, fields) = match v.sort() {
            crate::value::Sort::Pin => ("<", "> ", 1),
            crate::value::Sort::Law => ("{", "} ", 3),
            _ => ("[", "] ", v.size() + 1),
        };
        text.push_str(open);
        work.push(Err(close));
        work.extend((0..fields).rev().map(|i| Ok(v.field(i))));
    }
    text
}

fn shown_nat(v: Value) -> String {
    let mut space = [0];
    match v.limbs(&mut space) {
        [] => "0".into(),
        [n] => n.to_string(),
        limbs => format!("{limbs:x?}"),
    }
}

/// The machines that run each program: the model, compiled code, and compiled code in stress mode.
struct Rigs<'a> {
    rigs: [Rig<'a>; 3],
    effects: &'a Effects,
}

/// A run had no result.
struct Skipped;

impl<'a> Rigs<'a> {
    fn new(effects: &'a Effects) -> Rigs<'a> {
        Rigs {
            rigs: [0, 1, 2].map(|which| Rigs::rig(which, effects)),
            effects,
        }
    }

    fn rig(which: usize, effects: &'a Effects) -> Rig<'a> {
        let engine = if which == 0 { &EXPANDING } else { &ENGINE };
        Rig::new(engine, which == 2, effects)
    }

    /// The result of one of the machines. One that finds its heap broken is replaced, so that the
    /// program can be taken apart.
    fn run(&mut self, which: usize, p: &Program) -> Result<String, Skipped> {
        let rig = &mut self.rigs[which];
        match catch_unwind(AssertUnwindSafe(|| rig.run(p))) {
            Ok(result) => result.ok_or(Skipped),
            Err(cause) => {
                core::mem::forget(core::mem::replace(rig, Rigs::rig(which, self.effects)));
                Ok(match cause.downcast::<String>() {
                    Ok(text) => format!("panic: {text}"),
                    Err(_) => "panic".into(),
                })
            }
        }
    }

    /// What the model says and what compiled code does, where that is something else.
    fn differ(&mut self, p: &Program, stress: bool) -> Result<Option<[String; 2]>, Skipped> {
        let model = self.run(0, p)?;
        let stress = stress && self.effects.steps() < MAX_STRESSED;
        for which in 1..if stress { 3 } else { 2 } {
            let found = self.run(which, p)?;
            if found != model {
                let mode = ["", ", compiled", ", compiled, in stress mode"][which];
                return Ok(Some([model, found + mode]));
            }
        }
        Ok(None)
    }
}

/// The program as text.
fn text_of(p: &Program) -> String {
    let mut text = String::new();
    for (i, law) in p.laws.iter().enumerate() {
        text.push_str(&format!("$f{i} = {}\n", law.text(&format!("f{i}"))));
    }
    text + &p.args.join(" ")
}

/// Takes a program apart as long as the evaluators still differ on it.
fn shrink(effects: &Effects, mut p: Program) -> Program {
    let stress = !fails(effects, &p, false);
    let mut from = 0;
    loop {
        let all = smaller(&p);
        let found = (from..all.len()).find(|i| fails(effects, &all[*i], stress));
        match found {
            Some(i) => (p, from) = (all[i].clone(), i),
            None if from == 0 => return p,
            None => from = 0,
        }
    }
}

fn fails(effects: &Effects, p: &Program, stress: bool) -> bool {
    matches!(Rigs::new(effects).differ(p, stress), Ok(Some(_)))
}

/// Programs with one expression or argument simplified.
fn smaller(p: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    for (l, law) in p.laws.iter().enumerate() {
        for (e, expr) in law.exprs.iter().enumerate() {
            let mut place = 0;
            expr.visit(&mut |node| {
                for by in simpler(node) {
                    let mut q = p.clone();
                    q.laws[l].exprs[e].replace(&mut place.clone(), &mut |_| by.clone());
                    all.push(q);
                }
                place += 1;
            });
        }
    }
    for (i, arg) in p.args.iter().enumerate() {
        for by in (0..3).map(|n| n.to_string()) {
            if by.len() < arg.len() || by < *arg && arg.len() == 1 {
                let mut q = p.clone();
                q.args[i] = by;
                all.push(q);
            }
        }
    }
    all
}

fn simpler(e: &Expr) -> Vec<Expr> {
    let zero = Expr::constant("0");
    match e {
        Expr::App(head, args) => {
            let mut all = vec![zero];
            all.extend(args.iter().cloned());
            if args.len() > 1 {
                all.push(Expr::App(head.clone(), args[..args.len() - 1].to_vec()));
            }
            all
        }
        Expr::Slot(s) if *s > 0 => vec![zero],
        Expr::Const(c) if c.starts_with('[') => vec![zero],
        _ => Vec::new(),
    }
}

/// Compares the evaluators on the programs of these seeds; how many had no result.
fn compare(seeds: core::ops::Range<u64>, stress_every: u64) -> u64 {
    let effects = Effects::new();
    let mut rigs = Rigs::new(&effects);
    let mut skipped = 0;
    for seed in seeds {
        if seed % PER_MACHINE == 0 {
            rigs = Rigs::new(&effects);
        }
        let p = generate::program(seed);
        match rigs.differ(&p, seed % stress_every == 0) {
            Err(Skipped) => skipped += 1,
            Ok(None) => {}
            Ok(Some(_)) => {
                let p = shrink(&effects, p);
                let both = Rigs::new(&effects).differ(&p, true).unwrap_or(None);
                panic!("seed {seed}: {both:?} on\n{}", text_of(&p));
            }
        }
    }
    skipped
}

#[test]
fn compiled_bodies_do_what_expanded_bodies_do() {
    const PROGRAMS: u64 = 10_000;
    let skipped = compare(0..PROGRAMS, 4);
    assert!(skipped * 50 < PROGRAMS, "{skipped} programs had no result");
}
