//! Packs the texts of the kernel's error numbers.
//!
//! Invariants:
//! - line n of the file is the text of number n, counted from 0.

use std::path::Path;
use std::{env, fs};

#[path = "../pack.rs"]
mod pack;

const TEXTS: &str = "../../src/os/errors.txt";

fn main() {
    println!("cargo:rerun-if-changed={TEXTS}");
    println!("cargo:rerun-if-changed=../pack.rs");
    let text = fs::read_to_string(TEXTS).expect("the texts of errors are readable");
    let out = env::var("OUT_DIR").expect("cargo names the output directory");
    let packed = pack::pack(&text.lines().collect::<Vec<_>>());
    fs::write(Path::new(&out).join("errors"), packed).expect("the output directory can be written");
}
