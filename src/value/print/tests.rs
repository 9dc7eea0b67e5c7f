//! Tests of the printer on values built by hand, without a heap.
//!
//! Invariants:
//! - every object is leaked: addresses stay valid for the whole run.

use super::super::*;
use super::*;
use alloc::vec;

fn object(tag: u64, header: Header, payload: &[u64]) -> Value {
    let mut words = vec![header.bits()];
    words.extend_from_slice(payload);
    Value::reference(tag, &words.leak()[1])
}

fn big(limbs: &[u64]) -> Value {
    object(TAG_NAT, Header::nat(nat::bit_len(limbs)), limbs)
}

fn text(s: &str) -> Value {
    let mut limbs = vec![0u64; s.len().div_ceil(8)];
    for (i, b) in s.bytes().enumerate() {
        limbs[i / 8] |= u64::from(b) << (8 * (i % 8));
    }
    match limbs[..] {
        [] => Value::ZERO,
        [n] if n <= MAX_DIRECT => Value::direct(n),
        _ => big(&limbs),
    }
}

fn small(n: u64) -> Value {
    Value::direct(n)
}

fn closure(kind: Kind, head: Value, args: &[Value]) -> Value {
    let mut words = vec![head.bits()];
    words.extend(args.iter().map(|v| v.bits()));
    object(
        closure_tag(head, args.len()),
        Header::new(kind, words.len()),
        &words,
    )
}

fn row(args: &[Value]) -> Value {
    closure(Kind::ClosureNf, Value::ZERO, args)
}

fn lazy(args: &[Value]) -> Value {
    closure(Kind::Closure, Value::ZERO, args)
}

fn law(name: Value, arity: u64, body: Value) -> Value {
    let words = [name.bits(), arity, body.bits(), 0, arity, 0];
    object(TAG_LAW, Header::new(Kind::Law, LAW_WORDS), &words)
}

fn pin(item: Value) -> Value {
    let tag = if item.is_pin() { TAG_MEGAPIN } else { TAG_PIN };
    let words = [item.bits(), 0, 0, 0, 0, 0];
    object(tag, Header::new(Kind::Pin, PIN_FIXED_WORDS), &words)
}

fn cell(kind: u64, parts: &[Value]) -> Value {
    let mut words = vec![kind];
    words.extend(parts.iter().map(|v| v.bits()));
    object(TAG_THUNK, Header::new(Kind::Thunk, words.len()), &words)
}

fn app(f: Value, x: Value) -> Value {
    cell(ThunkKind::APP, &[f, x])
}

fn shown(v: Value, style: Style) -> String {
    let mut out = Vec::new();
    show_line(v, &style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn plain(v: Value, expected: &str) {
    assert_eq!(shown(v, Style::CONSOLE), format!("{expected}\n"));
}

#[track_caller]
fn cords(v: Value, expected: &str) {
    assert_eq!(
        shown(
            v,
            Style {
                cords: true,
                ..Style::CONSOLE
            }
        ),
        format!("{expected}\n")
    );
}

#[track_caller]
fn trace(v: Value, expected: &str) {
    assert_eq!(shown(v, Style::TRACE), format!("{expected}\n"));
}

/// The colour trace, with `[35m` for the escape and no line feed added.
#[track_caller]
fn colour(v: Value, expected: &str) {
    let style = Style {
        color: true,
        ..Style::TRACE
    };
    assert_eq!(shown(v, style).replace("\x1b", "!"), expected);
}

#[test]
fn naturals() {
    plain(small(0), "0");
    plain(small(MAX_DIRECT), "9223372036854775807");
    plain(big(&[1 << 63]), "0x8000000000000000");
    plain(big(&[0, 1]), "0x10000000000000000");
    plain(
        big(&[0xabcdef0123, 0x123456789]),
        "0x123456789000000abcdef0123",
    );
    let bitsz = Style {
        bitsz: true,
        ..Style::CONSOLE
    };
    assert_eq!(shown(small(5), bitsz), "5\n");
    assert_eq!(shown(big(&[1 << 63]), bitsz), "n64(8000000000000000)\n");
    let wide = big(&[0x3456_789a_bcde_f012, 0x12]);
    assert_eq!(shown(wide, bitsz), "n69(12.3456789abcdef012)\n");
}

#[test]
fn text_naturals() {
    plain(text("ab"), "25185");
    cords(small(97), "97");
    cords(text("ab"), "%ab");
    cords(text("a b"), "\"a b\"");
    cords(text("a_9"), "%a_9");
    cords(text("a\nb"), "\"a\nb\"");
    cords(text("a\tb"), "6424929");
    cords(text("abcdefgh"), "%abcdefgh");
    cords(text("hello world, hi"), "\"hello world, hi\"");
    cords(big(&[0xff61_6263_6465_6667]), "0xff61626364656667");
    let both = Style {
        cords: true,
        bitsz: true,
        ..Style::CONSOLE
    };
    assert_eq!(shown(text("abcdefghijk"), both), "%abcdefghijk\n");
}

#[test]
fn closures_and_depth() {
    plain(row(&[small(1), small(2)]), "[1 2]");
    plain(closure(Kind::Closure, small(5), &[small(1)]), "5{1}");
    plain(row(&[row(&[row(&[row(&[small(1)])])])]), "[[[[..]]]]");
    plain(row(&[row(&[row(&[pin(small(1))])])]), "[[[#1]]]");
    let one = Style {
        depth_limit: 1,
        ..Style::CONSOLE
    };
    assert_eq!(shown(lazy(&[small(1)]), one), "{..}\n");
    let named = pin(law(text("Add"), 2, small(1)));
    assert_eq!(
        shown(closure(Kind::ClosureNf, named, &[small(1)]), one),
        "Add[..]\n"
    );
    plain(row(&[pin(row(&[row(&[small(1)])]))]), "[#[[..]]]");
}

#[test]
fn laws_and_pins() {
    plain(law(small(102), 1, small(1)), "102(1)=>1");
    plain(law(text("fn"), 1, small(1)), "%fn(1)=>1");
    plain(law(text("a b"), 1, small(1)), "\"a b\"(1)=>1");
    plain(pin(law(text("a b"), 1, small(1))), "a b");
    plain(pin(law(small(7), 1, small(1))), "#7(1)=>1");
    plain(
        pin(law(big(&[1 << 63]), 1, small(1))),
        "#0x8000000000000000(1)=>1",
    );
    let l = law(small(5), 1, small(1));
    plain(row(&[l]), "[5(1)=>1]");
    plain(row(&[row(&[l])]), "[[5(1)]]");
    plain(
        law(small(1), 1, law(small(2), 1, law(small(3), 1, small(4)))),
        "1(1)=>2(1)=>3(1)",
    );
    cords(law(text("ab"), 25185, text("ab")), "%ab(%ab)=>%ab");
    plain(pin(pin(small(1))), "##1");
    cords(pin(text("ab")), "#%ab");
}

#[test]
fn cells() {
    plain(app(app(small(0), small(1)), small(2)), "((0 1) 2)");
    plain(
        app(
            small(0),
            app(small(0), app(small(0), app(small(0), small(1)))),
        ),
        "(0 (0 (0 (..))))",
    );
    plain(app(lazy(&[small(1)]), small(9)), "({1} 9)");
    plain(cell(ThunkKind::DONE, &[small(4), small(77)]), "(4)");
    plain(
        cell(
            ThunkKind::HEAD,
            &[closure(Kind::Closure, small(7), &[small(8), small(9)])],
        ),
        "(HEAD 7{8 9})",
    );
    plain(cell(ThunkKind::HOLE, &[small(4)]), "(H.0)");
    plain(cell(ThunkKind::RETHROW, &[small(4), small(5)]), "(H.0)");
    plain(
        cell(0x1000, &[pin(law(text("Dec"), 1, small(1))), small(50)]),
        "(Dec 50)",
    );
    plain(
        cell(ThunkKind::APP, &[small(1), small(2), small(3)]),
        "(1 2 3)",
    );
}

#[test]
fn a_cycle_of_first_parts_is_cut() {
    let x = app(small(0), small(1));
    x.set_field(1, x);
    plain(x, "((..) 1)");
    let y = app(app(app(small(0), small(1)), small(2)), small(3));
    y.field(1).field(1).set_field(1, y);
    assert!(shown(y, Style::CONSOLE).len() < 200);
}

#[test]
fn traces() {
    trace(pin(small(97)), "#a");
    trace(pin(text("rex")), "#rex");
    trace(pin(pin(text("rex"))), "##rex");
    trace(pin(text("a_b")), "#%a_b");
    trace(pin(text("abcdefghij")), "#%abcdefghij");
    trace(pin(small(0x61_0061)), "#6357089");
    trace(pin(small(256)), "#256");
    trace(row(&[text("x"), text("yz"), small(5)]), "[120 %yz 5]");
    let mut nested = row(&[small(1)]);
    for _ in 0..25 {
        nested = row(&[nested]);
    }
    trace(nested, &format!("{}..{}", "[".repeat(20), "]".repeat(20)));
}

#[test]
fn colours() {
    colour(small(5), "![1;35m5\n![0m");
    colour(pin(small(2)), "#![1;35m2\n![0m");
    colour(pin(pin(small(2))), "##![1;35m2\n![0m");
    colour(pin(text("rex")), "#rex\n");
    colour(text("hello"), "![1;34m%hello![0m\n");
    colour(text("a b"), "![1;32m\"a b\"![0m\n");
    let f = law(text("fn"), 1, small(1));
    colour(f, "![1;34m%fn![0m(![1;35m1![0m)=>![1;35m1![0m\n");
    colour(pin(f), "![1;31mfn![0m\n");
    colour(row(&[small(1)]), "[![1;35m1![0m]\n");
}

#[test]
fn depth_needs_no_native_stack() {
    const DEEP: usize = 1_000_000;
    let mut pins = small(1);
    let mut laws = small(1);
    let mut cells = small(0);
    let mut rows = small(1);
    for _ in 0..DEEP {
        pins = pin(pins);
        laws = pin(law(small(1), 1, laws));
        cells = app(cells, small(1));
        rows = row(&[rows]);
    }
    assert_eq!(shown(pins, Style::CONSOLE), "#".repeat(DEEP) + "1\n");
    assert_eq!(shown(laws, Style::CONSOLE), "#1(1)=>#1(1)\n");
    assert_eq!(
        shown(cells, Style::CONSOLE),
        "(".repeat(DEEP) + "0" + &" 1)".repeat(DEEP) + "\n"
    );
    let deep = Style {
        depth_limit: i32::MAX as u32,
        ..Style::CONSOLE
    };
    assert_eq!(
        shown(rows, deep),
        "[".repeat(DEEP) + "1" + &"]".repeat(DEEP) + "\n"
    );
}
