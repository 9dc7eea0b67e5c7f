//! Random sources: bytes, tokens, and programs that are well formed.
//!
//! Invariants:
//! - a source is a function of the random numbers alone;
//! - programs use the names of [`PRELUDE`], so that most of what they say means something.

use crate::random::Random;

/// What programs may use: an operation under its name, or a definition of its own.
pub const PRELUDE: &str = include_str!("prelude.wisp");

/// Names and arities of the functions of the prelude.
const FUNCTIONS: [(&str, usize); 36] = [
    ("Add", 2),
    ("Sub", 2),
    ("Mul", 2),
    ("Div", 2),
    ("Inc", 1),
    ("Dec", 1),
    ("If", 3),
    ("Eq", 2),
    ("Lt", 2),
    ("Cmp", 2),
    ("Seq", 2),
    ("Force", 1),
    ("Hd", 1),
    ("Sz", 1),
    ("Ix", 2),
    ("Ix0", 1),
    ("Ix1", 1),
    ("Up", 3),
    ("UpUniq", 3),
    ("Coup", 2),
    ("Rep", 3),
    ("Row", 3),
    ("Lsh", 2),
    ("Bex", 1),
    ("Store8", 3),
    ("Load", 3),
    ("Unpin", 1),
    ("Body", 1),
    ("Name", 1),
    ("MkLaw", 3),
    ("MkPin", 1),
    ("Try", 2),
    ("error", 1),
    ("Last", 1),
    ("Copy", 5),
    ("Case3", 4),
];
/// The other names that are bound.
const WORDS: [&str; 12] = [
    "law", "def", "macro", "Pin", "eval", "__REPL", "k", "twice", "first", "self", "BRACED",
    "CURLED",
];
/// Names that are not.
const UNBOUND: [&str; 12] = [
    "x", "blnk", "require", "let", "main", "=", "mac", "'x", "12a", "@", "EVAL", "<f",
];

/// A text with the words of the newer dialect in place of those of the classic one.
pub fn newer(text: &[u8]) -> Vec<u8> {
    let words: [(&[u8], &[u8]); 3] = [
        (b"(Pin ", b"(PIN "),
        (b"(macro ", b"(MAC "),
        (b"(law ", b"(LAW "),
    ];
    let (mut out, mut i) = (Vec::new(), 0);
    while i < text.len() {
        let word = words.iter().find(|(old, _)| text[i..].starts_with(old));
        let (from, to): (usize, &[u8]) = match word {
            Some((old, new)) => (old.len(), new),
            None => (1, &text[i..=i]),
        };
        out.extend_from_slice(to);
        i += from;
    }
    out
}

/// Random bytes, of different alphabets.
pub fn bytes(r: &mut Random) -> Vec<u8> {
    let length = match r.below(4) {
        0 => r.below(8),
        1 => r.below(2000),
        _ => r.below(120),
    };
    let alphabet: &[u8] = match r.below(4) {
        0 => b"()[]{}\"; \n1a",
        1 => b"(law (f x) (@ y 1)) def Pin [2] {3} \"s\" ;c\n\t\r\x0c",
        _ => b"",
    };
    let any = |r: &mut Random| match alphabet {
        b"" => r.word() as u8,
        some => *r.pick(some),
    };
    (0..length).map(|_| any(r)).collect()
}

/// Random tokens, with brackets that mostly match.
pub fn tokens(r: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    if r.one_in(40) {
        deep(r, &mut out);
    }
    for _ in 0..=r.below(5) {
        form(r, 6, &mut out);
        out.push(*r.pick(b" \n\n\n"));
        match r.below(120) {
            0 => token(r, &mut out),
            1 => own_loop(r, &mut out),
            _ => {}
        }
    }
    out
}

/// A form in many brackets, some of which are not closed.
fn deep(r: &mut Random, out: &mut Vec<u8>) {
    let depth = 1 + r.below(3000);
    let opens = ["(", "[", "{", "f(", "(law (f x) ", "(Pin ", "9("];
    let open = r.pick(&opens).as_bytes();
    let close = match open {
        b"[" => b']',
        b"{" => b'}',
        _ => b')',
    };
    for _ in 0..depth {
        out.extend_from_slice(open);
    }
    token(r, out);
    let closed = if r.one_in(4) { r.below(depth) } else { depth };
    out.resize(out.len() + closed, close);
}

fn token(r: &mut Random, out: &mut Vec<u8>) {
    match r.below(60) {
        0 => out.extend((0..r.below(3000)).map(|_| b'a')),
        1 => out.extend((0..r.below(3000)).map(|i| b'0' + (i % 10) as u8)),
        2 => out.push(r.word() as u8),
        3 => out.extend_from_slice("élan→\u{9b}".as_bytes()),
        4 => out.extend_from_slice(b"\"a\x00\x1b[1m\n\xff\""),
        5 => out.extend_from_slice(r.pick(&UNBOUND).as_bytes()),
        6 => out.extend_from_slice(b"; comment )\n"),
        7 => out.extend_from_slice(b"\"\""),
        8..12 => out.extend_from_slice(r.pick(&WORDS).as_bytes()),
        12..22 => out.extend_from_slice(r.pick(&FUNCTIONS).0.as_bytes()),
        22..26 => out.extend_from_slice(b"\"text\""),
        26..34 => out.extend_from_slice(b"k"),
        _ => number(r, out),
    }
}

fn number(r: &mut Random, out: &mut Vec<u8>) {
    let n = match r.below(12) {
        0 => r.word(),
        1 => 1 << r.below(64),
        2 => u64::MAX - r.below(3) as u64,
        3 => r.below(300) as u64,
        _ => r.below(8) as u64,
    };
    out.extend_from_slice(n.to_string().as_bytes());
}

/// A form that is often one that means something.
fn form(r: &mut Random, depth: usize, out: &mut Vec<u8>) {
    if depth == 0 {
        return token(r, out);
    }
    let put = |text: &str, out: &mut Vec<u8>| out.extend_from_slice(text.as_bytes());
    match r.below(22) {
        0..4 => token(r, out),
        4..7 => {
            put("(def ", out);
            symbol(r, out);
            out.push(b' ');
            form(r, depth - 1, out);
            put(")", out);
        }
        7 => {
            put("(macro ", out);
            symbol(r, out);
            let plain = r.one_in(2);
            put(if plain { " " } else { " (Pin " }, out);
            put("(law (m env form) (0 env ", out);
            form(r, depth - 1, out);
            put(if plain { "))" } else { ")))" }, out);
            put(")", out);
        }
        8..11 => law(r, depth, out),
        11 => bracketed(r, depth, b"[]", out),
        12 => bracketed(r, depth, b"{}", out),
        13 => {
            token(r, out);
            bracketed(r, depth, b"()", out);
        }
        14 => {
            put("(Pin ", out);
            form(r, depth - 1, out);
            put(")", out);
        }
        15 => {
            put("((Pin ", out);
            number(r, out);
            put(") (0 ", out);
            form(r, depth - 1, out);
            put("))", out);
        }
        16..19 => bracketed(r, depth, b"()", out),
        _ => call(r, depth, out),
    }
}

/// A loop in the place of the built-in one.
fn own_loop(r: &mut Random, out: &mut Vec<u8>) {
    let bodies = [
        "cs",
        "(Sz cs)",
        "(Ix0 cs)",
        "(old env (Ix1 cs))",
        "(error cs)",
        "(r env (Ix1 cs))",
    ];
    let text = format!(
        "(def old __REPL) (def __REPL (law (r env cs) {}))",
        r.pick(&bodies)
    );
    out.extend_from_slice(text.as_bytes());
}

fn symbol(r: &mut Random, out: &mut Vec<u8>) {
    match r.below(9) {
        0 => token(r, out),
        1 => out.extend_from_slice(r.pick(&WORDS).as_bytes()),
        _ => out.push(*r.pick(b"abcdkmxy")),
    }
}

fn bracketed(r: &mut Random, depth: usize, pair: &[u8; 2], out: &mut Vec<u8>) {
    out.push(pair[0]);
    for _ in 0..r.below(5) {
        form(r, depth - 1, out);
        out.push(b' ');
    }
    out.push(pair[1]);
}

/// A call of a function of the prelude, mostly with the arguments it needs.
fn call(r: &mut Random, depth: usize, out: &mut Vec<u8>) {
    let (name, arity) = *r.pick(&FUNCTIONS);
    out.push(b'(');
    out.extend_from_slice(name.as_bytes());
    let arity = if r.one_in(8) { r.below(7) } else { arity };
    for _ in 0..arity {
        out.push(b' ');
        form(r, depth - 1, out);
    }
    out.push(b')');
}

fn law(r: &mut Random, depth: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"(law (");
    symbol(r, out);
    for _ in 0..r.below(4) {
        out.push(b' ');
        symbol(r, out);
    }
    out.extend_from_slice(b") ");
    for _ in 0..r.below(3) {
        out.extend_from_slice(if r.one_in(12) { b"(# " } else { b"(@ " });
        symbol(r, out);
        out.push(b' ');
        form(r, depth - 1, out);
        out.extend_from_slice(b") ");
    }
    if !r.one_in(20) {
        form(r, depth - 1, out);
    }
    out.push(b')');
}

/// A program without mistakes of form: laws that call each other and themselves, and calls of them.
pub fn program(r: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    let laws = 1 + r.below(4);
    let mut known: Vec<(String, usize)> = Vec::new();
    for i in 0..laws {
        let (name, arity) = (format!("f{i}"), 1 + r.below(3));
        known.push((name.clone(), arity));
        let mut names: Vec<String> = (0..arity).map(|i| format!("a{i}")).collect();
        let head = format!("(def {name} (Pin (law ({name} {})", names.join(" "));
        out.extend_from_slice(head.as_bytes());
        for b in 0..r.below(3) {
            names.push(format!("v{b}"));
        }
        for name in &names[arity..] {
            out.extend_from_slice(format!("\n  (@ {name} ").as_bytes());
            expression(r, 3, &names, &known, &mut out);
            out.push(b')');
        }
        out.extend_from_slice(b"\n  ");
        // Recursion mostly comes to an end: the first argument counts down.
        let ends = !r.one_in(8);
        if ends {
            out.extend_from_slice(b"(If a0 ");
        }
        expression(r, 4, &names, &known, &mut out);
        if ends {
            out.push(b' ');
            expression(r, 2, &names, &[], &mut out);
            out.push(b')');
        }
        out.extend_from_slice(b")))\n");
    }
    for _ in 0..=r.below(3) {
        expression(r, 3, &[], &known, &mut out);
        out.push(b'\n');
    }
    out
}

fn expression(
    r: &mut Random,
    depth: usize,
    names: &[String],
    known: &[(String, usize)],
    out: &mut Vec<u8>,
) {
    let choice = if depth == 0 { r.below(7) } else { r.below(26) };
    match choice {
        0..4 if !names.is_empty() => out.extend_from_slice(r.pick(names).as_bytes()),
        0..6 => number(r, out),
        6 => out.extend_from_slice(b"k"),
        7..12 if !known.is_empty() => {
            let (name, arity) = r.pick(known);
            out.extend_from_slice(format!("({name} ").as_bytes());
            if !names.is_empty() && !r.one_in(8) {
                out.extend_from_slice(b"(Dec a0)");
            } else {
                out.extend_from_slice(r.below(12).to_string().as_bytes());
            }
            arguments(r, depth, *arity - 1, names, known, out);
        }
        12..15 => {
            out.extend_from_slice(b"(0");
            let size = r.below(4) + 1;
            arguments(r, depth, size, names, known, out);
        }
        _ => {
            let (name, arity) = *r.pick(&FUNCTIONS);
            out.push(b'(');
            out.extend_from_slice(name.as_bytes());
            arguments(r, depth, arity, names, known, out);
        }
    }
}

fn arguments(
    r: &mut Random,
    depth: usize,
    count: usize,
    names: &[String],
    known: &[(String, usize)],
    out: &mut Vec<u8>,
) {
    for _ in 0..count {
        out.push(b' ');
        expression(r, depth - 1, names, known, out);
    }
    out.push(b')');
}
