//! Packs the texts of `--help`.
//!
//! Invariants:
//! - they are in the order of `cli::args::Topic`.

use std::path::Path;
use std::{env, fs};

#[path = "../pack.rs"]
mod pack;

const TEXTS: &str = "../../src/cli/help";
const TOPICS: [&str; 9] = [
    "all", "run", "rpn", "seed", "wisp", "repl", "image", "boot", "build",
];

fn main() {
    println!("cargo:rerun-if-changed={TEXTS}");
    println!("cargo:rerun-if-changed=../pack.rs");
    let read = |topic| fs::read_to_string(format!("{TEXTS}/{topic}.txt"));
    let texts = TOPICS.map(|topic| read(topic).expect("each topic has a text"));
    let out = env::var("OUT_DIR").expect("cargo names the output directory");
    let packed = pack::pack(&texts.each_ref().map(String::as_str));
    fs::write(Path::new(&out).join("help"), packed).expect("the output directory can be written");
}
