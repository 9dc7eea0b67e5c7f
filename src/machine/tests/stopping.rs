//! Exceptions that end an evaluation: which laws were being evaluated, and what no handler catches.

use super::*;

/// Evaluates a text that ends with an exception; the names on its trail, `name*times` for runs.
fn trail(text: &str) -> (Vec<String>, u64, Vec<String>) {
    let trails = [false, true].map(|stress| {
        let mut m = Machine::new(options(stress), &ENGINE).expect("memory");
        Reader {
            text: text.as_bytes(),
            m: &mut m,
            names: &HashMap::new(),
        }
        .value();
        assert_eq!(m.force_top(), Err(Stop::Thrown));
        let shown = |run: &trail::Run| match run.times {
            1 => String::from_utf8_lossy(run.name()).into_owned(),
            n => format!("{}*{n}", String::from_utf8_lossy(run.name())),
        };
        let part = |runs: &[trail::Run]| runs.iter().map(shown).collect::<Vec<_>>();
        let found = m.trail();
        (part(found.inner()), found.omitted, part(found.outer()))
    });
    assert_eq!(trails[0], trails[1]);
    trails[0].clone()
}

/// A law that increments what a function makes of its argument, so its frame stays.
fn around(name: &str, f: &str) -> String {
    format!("<{{\"{name}\" 1 {}}}>", ap("<2>", &[&ap(f, &["1"])]))
}

#[test]
fn an_uncaught_exception_tells_which_laws_were_being_evaluated() {
    let boom = around("boom", "<\"Oops\">");
    let go = around("go", &boom);
    let main = around("main", &go);
    let names = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
    let (inner, omitted, outer) = trail(&format!("({main} 5)"));
    assert_eq!((inner, omitted), (names(&["boom", "go", "main"]), 0));
    assert!(outer.is_empty());
    // A law in tail position has taken the frame of the one that called it.
    let tail = format!("<{{\"tail\" 1 {}}}>", ap(&boom, &["1"]));
    assert_eq!(trail(&format!("({tail} 5)")).0, names(&["boom"]));
}

#[test]
fn long_trails_keep_both_ends() {
    let mut f = String::from("<\"Oops\">");
    for i in 0..20 {
        f = around(&format!("f{i}"), &f);
    }
    let (inner, omitted, outer) = trail(&format!("({f} 5)"));
    let names = |range: core::ops::Range<i32>| range.map(|i| format!("f{i}")).collect::<Vec<_>>();
    assert_eq!((inner, omitted), (names(0..8), 8));
    assert_eq!(outer, names(16..20));
}

#[test]
fn the_same_law_in_a_row_is_one_entry() {
    let step = ap("<2>", &[&ap("0", &[&ap(&jet("Dec", 1), &["1"])])]);
    let end = ap("<\"End\">", &["1"]);
    let body = ap(&jet("Ifz", 3), &["1", &end, &step]);
    let (inner, omitted, outer) = trail(&format!("(<{{\"down\" 1 {body}}}> 1000)"));
    assert_eq!((inner, omitted), (vec![String::from("down*1000")], 0));
    assert!(outer.is_empty());
}

#[test]
fn the_escape_passes_every_handler_and_nothing_else_does() {
    for (code, value) in [("Escape", None), ("Escaped", Some("Escaped"))] {
        let mut m = Machine::new(options(true), &ENGINE).expect("memory");
        m.set_escape(Some(b"Escape"));
        Reader {
            text: format!("(<8> (0 <8> [0 <\"{code}\"> 3]))").as_bytes(),
            m: &mut m,
            names: &HashMap::new(),
        }
        .value();
        let result = m.force_top();
        match value {
            None => {
                assert_eq!(result, Err(Stop::Thrown));
                assert_eq!(shown(&m), "3");
            }
            Some(name) => {
                assert_eq!(result, Ok(()));
                let code = nat::bytes_to_limbs(name.as_bytes())[0];
                assert_eq!(shown(&m), format!("[{code}[3]]"));
            }
        }
        assert_eq!(m.interruption(), None);
    }
}
