//! Depth and exhaustion: evaluation is bounded by the value stack and the memory alone, and what runs
//! out is an exception like others.

use super::*;
use crate::value::ThunkKind;
use std::sync::Mutex;
use std::time::Instant;

/// Held by tests that take hundreds of megabytes or measure time.
static LARGE: Mutex<()> = Mutex::new(());

fn machine(stack_bytes: usize, heap_bytes: u64) -> Box<Machine> {
    let options = Options {
        stack_bytes,
        heap_bytes,
        ..Options::default()
    };
    Machine::new(options, &ENGINE).expect("memory")
}

fn read(m: &mut Machine, text: &str) {
    Reader {
        text: text.as_bytes(),
        m,
        names: &HashMap::new(),
    }
    .value();
}

/// The normal form of a text.
fn forced(m: &mut Machine, text: &str) -> String {
    read(m, text);
    m.force_top().expect("a value");
    m.verify().expect("sound heap");
    let result = shown(m);
    m.drop_top(1);
    result
}

/// `17[0[limit 0 detail]]`, what Try makes of exhaustion.
fn limit(detail: u64) -> String {
    let name = nat::bytes_to_limbs(b"limit")[0];
    format!("17[[{name} 0 {detail}]]")
}

/// `name n = if n is 0 then 0 else <step>`, with n in slot 1.
fn counting(name: &str, step: &str) -> String {
    let body = ap(&jet("Ifz", 3), &["1", "[0 0]", step]);
    format!("{{\"{name}\" 1 {body}}}")
}

fn again() -> String {
    ap("0", &[&ap(&jet("Dec", 1), &["1"])])
}

#[test]
fn ten_million_nested_thunks_are_evaluated() {
    let _one = LARGE.lock();
    let mut m = machine(1 << 30, 0);
    read(&mut m, "<2>");
    m.push(Value::ZERO);
    for _ in 0..10_000_000 {
        let inner = m.pop();
        m.push(m.top(0));
        m.push(inner);
        m.make_app(1).expect("memory");
    }
    m.eval_top().expect("a value");
    assert_eq!(shown(&m), "10000000");
}

#[test]
fn recursion_is_as_deep_as_the_stack() {
    let _one = LARGE.lock();
    let mut m = machine(1 << 30, 0);
    let deep = counting("deep", &ap("<2>", &[&again()]));
    assert_eq!(forced(&mut m, &format!("({deep} 5000000)")), "5000000");
}

#[test]
fn infinite_recursion_is_caught_and_the_program_goes_on() {
    let mut m = machine(16 << 20, 0);
    let forever = format!("{{\"ever\" 1 {}}}", ap("<2>", &[&ap("0", &["1"])]));
    let deep = counting("deep", &ap("<2>", &[&again()]));
    for _ in 0..3 {
        assert_eq!(forced(&mut m, &format!("(<8> (0 {forever} 1))")), limit(1));
        assert_eq!(forced(&mut m, &format!("({deep} 100000)")), "100000");
    }
    let both = format!("(0 (<8> (0 {forever} 1)) ({deep} 1000) (<8> (0 {forever} 2)))");
    assert_eq!(forced(&mut m, &both), format!("[{0} 1000 {0}]", limit(1)));
}

#[test]
fn infinite_data_is_caught_and_the_program_goes_on() {
    let mut m = machine(64 << 20, 16 << 20);
    // grow n list = grow n (0 n list), in constant stack.
    let step = ap("0", &["1", &ap("[0 0]", &["1", "2"])]);
    let grow = format!("{{\"grow\" 2 {}}}", ap(&jet("Seq", 2), &["2", &step]));
    let start = format!("{{\"start\" 1 {}}}", ap(&grow, &["1", "[0 0]"]));
    let wide = ap(&jet("Rep", 3), &["[0 0]", "1", "[0 2000000]"]);
    let wide = format!("{{\"wide\" 1 {}}}", ap(&jet("Sz", 1), &[&wide]));
    let few = ap(&jet("Rep", 3), &["[0 0]", "1", "[0 200000]"]);
    let few = format!("{{\"few\" 1 {}}}", ap(&jet("Sz", 1), &[&few]));
    for _ in 0..3 {
        assert_eq!(forced(&mut m, &format!("(<8> (0 {start} 1))")), limit(2));
        assert_eq!(forced(&mut m, &format!("(<8> (0 {wide} 1))")), limit(2));
        assert_eq!(forced(&mut m, &format!("({few} 1)")), "200000");
    }
}

#[test]
fn a_cell_interrupted_by_exhaustion_is_what_it_was() {
    let mut m = machine(4 << 20, 0);
    let deep = counting("deep", &ap("<2>", &[&again()]));
    read(&mut m, &format!("({deep} 10000000)"));
    for _ in 0..2 {
        assert_eq!(m.eval_top(), Err(Stop::Thrown));
        m.drop_top(2);
        assert_eq!(m.top(0).thunk_kind(), ThunkKind::APP);
        m.verify().expect("sound heap");
    }
    assert_eq!(forced(&mut m, &format!("({deep} 60000)")), "60000");
}

/// Seconds to evaluate a row of that many arguments, written as nested applications.
fn seconds(cells: u64) -> f64 {
    let mut m = machine(1 << 28, 0);
    m.push(Value::ZERO);
    for i in 0..cells {
        m.push(Value::direct(i));
        m.make_app(1).expect("memory");
    }
    let start = Instant::now();
    m.eval_top().expect("a value");
    let seconds = start.elapsed().as_secs_f64();
    let row = m.top(0);
    assert_eq!(row.size() as u64, cells);
    assert!((0..cells).all(|i| row.arg(i as usize) == Value::direct(i)));
    seconds
}

#[test]
fn a_row_written_as_nested_cells_takes_linear_time() {
    let _one = LARGE.lock();
    let taken = seconds(200_000);
    // In quadratic time 160 gigabytes would be copied; in linear time a few megabytes are.
    assert!(taken < 5.0, "{taken} s");
}
