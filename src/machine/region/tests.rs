//! Values of every shape, committed to a store on a real file and read back from its bytes.

use super::super::tests::{Reader, options};
use super::*;
use crate::heap::store::Options;
use crate::heap::store::object::Object;
use crate::os::file;
use crate::prim::ENGINE;
use crate::value::{Sort, Value};
use hashbrown::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

const TAG_SHIFT: u32 = 48;

/// A store on a file without a name.
fn store() -> Store<FileStorage> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("plan-region-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let bytes = path.to_str().expect("text").as_bytes();
    drop(file::create_new(bytes, 0o600).expect("a new file"));
    let storage = FileStorage::new(file::open_both(bytes).expect("file"), true).expect("lock");
    std::fs::remove_file(&path).expect("removed");
    Store::create(storage, 0, Options::default()).expect("a store")
}

fn natural(limbs: &[u64]) -> String {
    format!("{limbs:x?}")
}

/// What a value in memory is, without sharing.
fn in_memory(v: Value) -> String {
    let parts = |from: usize, n: usize| -> String {
        (from..n).map(|i| in_memory(v.field(i)) + " ").collect()
    };
    match v.sort() {
        Sort::Nat => natural(v.limbs(&mut [0])),
        Sort::Pin => format!("<{}>{}", in_memory(v.item()), v.call_arity()),
        Sort::Law => format!("{{{}}}{}", parts(0, 3), v.call_arity()),
        Sort::Closure => format!("[{}]", parts(0, v.size() + 1)),
        Sort::Thunk => panic!("not in normal form"),
    }
}

/// The pins of a store, by address.
struct Stored(HashMap<u64, Object>);

impl Stored {
    fn read(store: &mut Store<FileStorage>) -> Stored {
        let mut pins = HashMap::new();
        store
            .export(&mut |address, object| {
                pins.insert(address, object.clone());
                Ok(())
            })
            .expect("sound");
        Stored(pins)
    }

    fn pin(&self, address: u64) -> String {
        let pin = &self.0[&address];
        format!("<{}>{}", self.word(pin, 0), pin.words[4])
    }

    fn word(&self, pin: &Object, at: usize) -> String {
        let word = pin.words[at];
        if word >> 63 == 0 {
            return natural(if word == 0 { &[] } else { &pin.words[at..=at] });
        }
        if let Ok(i) = pin.pins.binary_search_by_key(&at, |(at, _)| *at) {
            return self.pin(pin.pins[i].1);
        }
        let target = (word & 0xFFFF_FFFF) as usize;
        let n = crate::value::Header::from_bits(pin.words[target - 1]).words();
        let parts = |n: usize| -> String {
            let words = target..target + n;
            words.map(|at| self.word(pin, at) + " ").collect()
        };
        match word >> (TAG_SHIFT + 8) {
            0x82 => natural(&pin.words[target..target + n]),
            0xC8 => format!("{{{}}}{}", parts(3), pin.words[target + 4]),
            _ => format!("[{}]", parts(n)),
        }
    }
}

fn machine_with(text: &str) -> Box<Machine> {
    let mut m = Machine::new(options(false), &ENGINE).expect("memory");
    let (text, names) = (text.as_bytes(), &HashMap::new());
    Reader {
        text,
        m: &mut m,
        names,
    }
    .value();
    m
}

#[test]
fn values_of_every_shape_come_back() {
    let law = "{\"twice\" 1 [0 [0 <{\"Add\" 2 0}> 1] 1]}";
    let texts = [
        "0",
        "41",
        "(<2> 41)",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999999999999999999999999999999",
        "[0 1 2]",
        "[7 [0 1] [0 [3 4 99999999999999999999999]] 1]",
        law,
        &format!("[{law} ]"),
        &format!("<{law}>"),
        &format!("(<{law}> 21)"),
        "<5>",
        "<<5>>",
        "<<<[0 <5> <[0 99999999999999999999999]>]>>>",
        "[0 <1> <1> <2> <3> <4> <5> <6> <7> <8> <9> <10> <11>]",
        "[<1> 5]",
        "<[0 <[0 <<3>> 1]> <<<[0 <8> <9>]>>>]>",
        "(<{\"Bex\" 1 0}> 40000)",
    ];
    for text in texts {
        let mut m = machine_with(text);
        let mut store = store();
        m.commit_top(&mut store).expect("committed");
        assert!(store.scrub().expect("readable").findings.is_empty());
        let expected = in_memory(m.top(0));
        let found = if store.root() >> 63 == 0 {
            let n = store.root();
            natural(if n == 0 {
                &[]
            } else {
                std::slice::from_ref(&n)
            })
        } else {
            let stored = Stored::read(&mut store);
            let root = &stored.0[&(store.root() & 0xFFFF_FFFF_FFFF)];
            stored.word(root, 0)
        };
        assert_eq!(found, expected, "{text}");
        let before = store.superblock().sequence;
        m.commit_top(&mut store).expect("committed");
        let again = store.superblock().sequence;
        let in_one_pin = !text.contains('<') || text.starts_with('(');
        assert_eq!(again == before, in_one_pin, "{text}: an unchanged value");
    }
}

#[test]
fn what_cannot_be_evaluated_is_not_committed() {
    let mut m = machine_with("(<21> 3)");
    let mut store = store();
    assert_eq!(
        m.commit_top(&mut store),
        Err(CommitError::Stopped(Stop::Thrown))
    );
    assert_eq!(store.superblock().sequence, 0);
}
