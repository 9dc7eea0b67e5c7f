//! Random programs for the comparison of the two evaluators of law bodies.
//!
//! Invariants:
//! - Every program ends: self calls count down, laws with unknown calls count their steps.
//! - Effects are visible: each site that ticks or throws has a number of its own.
//! - The same seed gives the same program.

use std::fmt::Write;

/// The generator xorshift64* (S. Vigna, *An experimental exploration of Marsaglia's xorshift
/// generators, scrambled*, ACM TOMS 42, 2016).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// An expression of a law body.
#[derive(Clone, Debug)]
pub enum Expr {
    Slot(usize),
    /// A constant, in the notation of the tests' reader.
    Const(String),
    App(Box<Expr>, Vec<Expr>),
}

use Expr::{App, Slot};

impl Expr {
    pub fn constant(text: impl Into<String>) -> Expr {
        Expr::Const(text.into())
    }

    pub fn call(f: impl Into<String>, args: Vec<Expr>) -> Expr {
        App(Box::new(Expr::constant(f)), args)
    }

    fn show(&self, out: &mut String) {
        match self {
            Slot(s) => write!(out, "{s}").unwrap(),
            // Pins and laws need no quote.
            Expr::Const(c) if c.starts_with(['#', '$', '{', '<']) => out.push_str(c),
            Expr::Const(c) => write!(out, "[0 {c}]").unwrap(),
            App(f, xs) => {
                xs.iter().for_each(|_| out.push_str("[0 "));
                f.show(out);
                for x in xs {
                    out.push(' ');
                    x.show(out);
                    out.push(']');
                }
            }
        }
    }

    /// The expression and everything below it, in one order.
    pub fn visit(&self, f: &mut impl FnMut(&Expr)) {
        f(self);
        if let App(head, args) = self {
            head.visit(f);
            args.iter().for_each(|a| a.visit(f));
        }
    }

    /// The same with place `n` of that order, counted down, replaced.
    pub fn replace(&mut self, n: &mut usize, by: &mut impl FnMut(&Expr) -> Expr) {
        if *n == 0 {
            *self = by(self);
        }
        *n = n.wrapping_sub(1);
        if *n > usize::MAX / 2 {
            return;
        }
        if let App(head, args) = self {
            head.replace(n, by);
            args.iter_mut().for_each(|a| {
                if *n <= usize::MAX / 2 {
                    a.replace(n, by);
                }
            });
        }
    }
}

/// A law: `{name arity lets… body}`.
#[derive(Clone, Debug)]
pub struct Law {
    pub arity: usize,
    /// The lets, and last the body.
    pub exprs: Vec<Expr>,
    pub pinned: bool,
}

impl Law {
    pub fn text(&self, name: &str) -> String {
        let mut body = String::new();
        let (last, lets) = self.exprs.split_last().unwrap();
        for e in lets {
            body.push_str("[1 ");
            e.show(&mut body);
            body.push(' ');
        }
        if self.may_run_away() {
            body.push_str("[0 [0 #Seq [0 #step [0 0]]] ");
        }
        last.show(&mut body);
        if self.may_run_away() {
            body.push(']');
        }
        lets.iter().for_each(|_| body.push(']'));
        let law = format!("{{\"{name}\" {} {body}}}", self.arity);
        if self.pinned { format!("<{law}>") } else { law }
    }

    /// Whether the law calls unknown functions or hands itself on.
    fn may_run_away(&self) -> bool {
        let mut found = false;
        for e in &self.exprs {
            e.visit(&mut |e| match e {
                App(head, _) => found |= matches!(**head, Slot(_)),
                Slot(s) => found |= *s == 0,
                Expr::Const(_) => {}
            });
        }
        found
    }
}

/// Laws, each of which may call those before it, and the arguments of the last.
#[derive(Clone, Debug)]
pub struct Program {
    pub laws: Vec<Law>,
    pub args: Vec<String>,
}

/// Named operations and their arities; those in front are drawn more often.
#[rustfmt::skip] // a table, not a list of lines
pub const JETS: &[(&str, usize)] = &[
    ("If", 3), ("Ifz", 3), ("Case", 3), ("Case3", 4), ("And", 2), ("Or", 2), ("Seq", 2),
    ("Add", 2), ("Sub", 2), ("Inc", 1), ("Dec", 1), ("Lt", 2), ("Le", 2), ("Gt", 2), ("Ge", 2),
    ("Eq", 2), ("Ne", 2), ("Nil", 1), ("Ix", 2), ("Mul", 2), ("Up", 3), ("Coup", 2), ("Rep", 3),
    ("Row", 3), ("Hd", 1), ("Sz", 1), ("Init", 1), ("Last", 1), ("Nat", 1), ("IsNat", 1),
    ("IsApp", 1), ("IsLaw", 1), ("IsPin", 1), ("Cmp", 2), ("Type", 1), ("Unpin", 1), ("Div", 2),
    ("Compare", 2), ("Bits", 1), ("Test", 2), ("Trunc", 2), ("Copy", 5), ("Name", 1), ("Body", 1),
    ("Bytes", 1), ("Load8", 2), ("Arity", 1), ("Mod", 2), ("DivMod", 2), ("Clear", 2),
];
/// Jets in front of the list that branch.
const BRANCHES: usize = 7;
/// Jets up to here are about control, numbers and rows.
const COMMON: usize = 24;

/// Numbers of operations for `<15>` and their arities.
#[rustfmt::skip] // as above
const NUMBERED: &[(usize, usize)] = &[
    (2, 1), (4, 1), (5, 2), (6, 2), (7, 3), (8, 4), (12, 8), (17, 1), (18, 1), (24, 1), (25, 1),
    (26, 3), (27, 3), (29, 1), (30, 1), (31, 2), (32, 2), (33, 2), (34, 2), (35, 2), (36, 2),
    (37, 2), (40, 2), (41, 2), (42, 2), (43, 2), (44, 2), (45, 2), (46, 2), (67, 1), (68, 1),
    (69, 3), (70, 2), (71, 2), (72, 2), (73, 4), (74, 5), (75, 6), (76, 7), (77, 8), (78, 2),
    (79, 3), (81, 2), (82, 1), (83, 1), (84, 1), (89, 1), (90, 3), (91, 3), (92, 5), (93, 4),
    (60, 3), (61, 3), (3, 6), (1, 3), (0, 1),
];

/// Laws that are always there: name, arity, body. Those that call unknown functions count steps.
pub const LIBRARY: &[(&str, usize, &str)] = &[
    ("id", 1, "1"),
    ("const", 2, "1"),
    ("dup", 1, "[0 [0 [0 0] 1] 1]"),
    ("twice", 2, "[0 [0 #Seq [0 #step [0 0]]] [0 1 [0 1 2]]]"),
    ("call", 2, "[0 [0 #Seq [0 #step [0 0]]] [0 1 2]]"),
    ("die", 1, "[0 <28> 1]"),
    ("pair", 3, "[0 [0 #Seq [0 #step [0 0]]] [0 [0 3 1] 2]]"),
];

pub struct Generator {
    random: Random,
    /// Arities of the laws made before.
    known: Vec<usize>,
    arity: usize,
    lets: usize,
    sites: usize,
    budget: usize,
}

/// The program of a seed.
pub fn program(seed: u64) -> Program {
    let mut g = Generator {
        random: Random::new(seed),
        known: Vec::new(),
        arity: 0,
        lets: 0,
        sites: 0,
        budget: 0,
    };
    let laws: Vec<Law> = (0..1 + g.random.below(3)).map(|_| g.law()).collect();
    let arity = laws.last().unwrap().arity;
    let n = match g.random.below(12) {
        0 => arity + 1,
        1 => arity + 2,
        _ => arity,
    };
    let mut args: Vec<String> = (0..n).map(|_| g.argument(2)).collect();
    args[0] = g.fuel();
    Program { laws, args }
}

impl Generator {
    fn law(&mut self) -> Law {
        self.arity = match self.random.below(60) {
            0 => 70,
            1..=5 => 4,
            n => 1 + n % 3,
        };
        self.lets = match self.random.below(40) {
            0 => 66,
            n => n % 5,
        };
        let mut exprs = Vec::new();
        for _ in 0..self.lets {
            self.budget = if self.lets > 8 { 3 } else { 12 };
            let depth = 1 + self.random.below(3);
            exprs.push(self.expr(depth));
        }
        self.budget = 40;
        let depth = 2 + self.random.below(4);
        let mut body = self.expr(depth);
        if self.random.one_in(50) {
            for _ in 0..200 {
                body = Expr::call("#Inc", vec![body]);
            }
        }
        exprs.push(body);
        self.known.push(self.arity);
        Law {
            arity: self.arity,
            exprs,
            pinned: self.random.one_in(2),
        }
    }

    fn site(&mut self) -> usize {
        self.sites += 1;
        self.sites % 31 + 1
    }

    fn exprs(&mut self, n: usize, depth: usize) -> Vec<Expr> {
        (0..n).map(|_| self.expr(depth)).collect()
    }

    fn number(&mut self) -> String {
        match self.random.below(12) {
            0 => "9223372036854775807".into(),
            1 => "9223372036854775808".into(),
            2 => "18446744073709551616".into(),
            3 => "77".into(),
            n => (n - 4).to_string(),
        }
    }

    fn leaf(&mut self) -> Expr {
        match self.random.below(10) {
            0..=3 => Slot(1 + self.random.below(self.arity)),
            4..=6 if self.lets > 0 => Slot(self.arity + 1 + self.random.below(self.lets)),
            7 => self.value(),
            8 if self.random.one_in(4) => Slot(0),
            _ => {
                let n = self.number();
                Expr::constant(n)
            }
        }
    }

    /// A constant that is not a natural.
    fn value(&mut self) -> Expr {
        let text = match self.random.below(9) {
            0 => "[0 4 5 6]".into(),
            1 => "[0 7]".into(),
            2 => "[1 2 3]".into(),
            3 => "[0 [0 1 2] [0 3] 4]".into(),
            4 => format!("[#const {}]", self.number()),
            5 => "[#Add 3]".into(),
            6 => format!("#{}", JETS[self.random.below(JETS.len())].0),
            7 => format!("#{}", LIBRARY[self.random.below(LIBRARY.len())].0),
            _ => format!("[{} 1 2]", self.number()),
        };
        Expr::constant(text)
    }

    fn expr(&mut self, depth: usize) -> Expr {
        if depth == 0 || self.budget == 0 {
            return self.leaf();
        }
        self.budget -= 1;
        let d = depth - 1;
        match self.random.below(34) {
            0..=3 => self.leaf(),
            4..=8 => self.jet(BRANCHES, d),
            9..=13 => self.jet(COMMON, d),
            14 | 15 => self.jet(JETS.len(), d),
            16 => self.numbered(d),
            17 => {
                let args = self.exprs(6, d);
                Expr::call("<3>", args)
            }
            18 => {
                let mut args = self.exprs(2, d);
                if self.random.one_in(2) {
                    args[0] = Expr::constant(self.random.pick(&["#die", "#const", "#id", "#dup"]));
                }
                Expr::call("<8>", vec![Expr::call("0", args)])
            }
            19 => {
                let code = 40 + self.site();
                let args = self.exprs(1, d);
                Expr::call(format!("<{code}>"), args)
            }
            20..=22 => {
                let site = Expr::constant(self.site().to_string());
                let x = self.expr(d);
                Expr::call("#tick", vec![site, x])
            }
            23 | 24 => self.own_call(d),
            25 | 26 => {
                let n = 1 + self.random.below(3);
                let head = self.leaf();
                let args = self.exprs(n, d);
                App(Box::new(head), args)
            }
            27 | 28 => self.known_call(d),
            29 => {
                let (name, arity, _) = LIBRARY[self.random.below(LIBRARY.len())];
                let n = self.about(arity);
                let args = self.exprs(n, d);
                Expr::call(format!("#{name}"), args)
            }
            30 | 31 => {
                let n = 1 + self.random.below(4);
                let args = self.exprs(n, d);
                let head = if self.random.one_in(3) {
                    self.number()
                } else {
                    "0".into()
                };
                Expr::call(head, args)
            }
            32 => {
                let n = 1 + self.random.below(2);
                let (head, args) = (self.value(), self.exprs(n, d));
                App(Box::new(head), args)
            }
            _ => {
                let head = self.expr(d);
                let args = self.exprs(1, d);
                App(Box::new(head), args)
            }
        }
    }

    /// Mostly the arity, sometimes more or less.
    fn about(&mut self, arity: usize) -> usize {
        match self.random.below(8) {
            0 => arity + 1,
            1 if arity > 1 => arity - 1,
            _ => arity,
        }
    }

    fn jet(&mut self, among: usize, depth: usize) -> Expr {
        let (name, arity) = JETS[self.random.below(among)];
        let n = if self.random.one_in(4) {
            self.about(arity)
        } else {
            arity
        };
        let args = self.exprs(n, depth);
        Expr::call(format!("#{name}"), args)
    }

    fn numbered(&mut self, depth: usize) -> Expr {
        let (number, arity) = NUMBERED[self.random.below(NUMBERED.len())];
        let n = if self.random.one_in(20) {
            self.about(arity)
        } else {
            arity
        };
        let args = self.exprs(n, depth);
        let key = if self.random.one_in(3) && number == 35 {
            "\"Add\"".into()
        } else {
            number.to_string()
        };
        Expr::call("<15>", vec![Expr::call(key, args)])
    }

    /// A call of the law itself while its first argument is between 1 and 4.
    fn own_call(&mut self, depth: usize) -> Expr {
        let mut args = vec![Expr::call("#Dec", vec![Slot(1)])];
        if self.arity > 6 {
            return self.leaf();
        }
        let n = self.about(self.arity);
        args.extend(self.exprs(n - 1, depth));
        let call = App(Box::new(Slot(0)), args);
        let otherwise = self.leaf();
        let small = Expr::call("#Lt", vec![Slot(1), Expr::constant("5")]);
        let inner = Expr::call("#If", vec![small, call, Expr::constant("6")]);
        Expr::call("#Ifz", vec![Slot(1), otherwise, inner])
    }

    fn known_call(&mut self, depth: usize) -> Expr {
        if self.known.is_empty() {
            return self.leaf();
        }
        let i = self.random.below(self.known.len());
        let n = self.about(self.known[i]);
        let mut args = vec![Expr::constant(self.random.below(4).to_string())];
        args.extend(self.exprs(n.min(8) - 1, depth));
        Expr::call(format!("$f{i}"), args)
    }

    fn fuel(&mut self) -> String {
        let n = self.random.below(5);
        match self.random.below(6) {
            0 => format!("(#tick 31 {n})"),
            1 => format!("(#id {n})"),
            _ => n.to_string(),
        }
    }

    /// An argument of the program, in the notation of the reader.
    fn argument(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 5 } else { 13 }) {
            0..=2 => self.number(),
            3 => format!("(#Inc {})", self.number()),
            4 => format!("#{}", LIBRARY[self.random.below(LIBRARY.len())].0),
            5 => format!("(<{}> 3)", 80 + self.site()),
            6 | 7 => format!("(#tick {} {})", self.site(), self.argument(depth - 1)),
            8 => format!("(#Add {} 1)", self.argument(depth - 1)),
            9 => format!(
                "(0 {} {})",
                self.argument(depth - 1),
                self.argument(depth - 1)
            ),
            10 => format!("(#const {})", self.argument(depth - 1)),
            11 => format!("#{}", JETS[self.random.below(JETS.len())].0),
            _ => format!("(0 {})", self.argument(depth - 1)),
        }
    }
}
