//! Link flags of the freestanding executable, and the prepared library it embeds.
//!
//! Invariants:
//! - the flags reach binaries only (`rustc-link-arg-bins`): tests, benches and build scripts are
//!   ordinary hosted programs and crash at start when linked this way;
//! - everything the layout of the executable depends on is in `linker.ld`;
//! - a file of the library that has not been prepared is embedded empty, so that everything builds
//!   without it; the Makefile prepares it with such an executable and builds again.

use std::path::Path;
use std::{env, fs};

/// Passed to the linker driver in this order.
const FLAGS: &[&str] = &[
    "-nostdlib",
    "-nostartfiles",
    "-static",
    "-no-pie",
    "-Wl,--no-dynamic-linker",
    "-Wl,--build-id=none",
    "-Wl,--no-eh-frame-hdr",
    "-Wl,-z,noexecstack",
    "-Wl,-z,norelro",
    "-Wl,-z,max-page-size=4096",
    "-Wl,--gc-sections",
    // Functions with the same code become one; nothing here compares addresses of functions.
    "-Wl,--icf=all",
];

/// Where the Makefile puts the prepared library, and its files.
const LIBRARY: &str = "build/library";
const FILES: [&str; 3] = ["builtins.seed", "modules.seed", "index"];

/// Copies the library to where `main.rs` includes it from. The directory is made if it is not there:
/// cargo would take a missing one for a change each time.
fn embed_library(root: &str) {
    let (from, to) = (Path::new(root).join(LIBRARY), env::var("OUT_DIR"));
    let to = to.expect("cargo names the output directory");
    fs::create_dir_all(&from).expect("build/library can be made");
    // Only tests build it otherwise, without ever running it: what is not optimised would not fit below
    // the persistence window with the library.
    let shipped = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    for file in FILES {
        let bytes = fs::read(from.join(file)).ok().filter(|_| shipped);
        let bytes = bytes.unwrap_or_default();
        fs::write(Path::new(&to).join(file), bytes).expect("the output directory can be written");
    }
    println!("cargo:rerun-if-changed={LIBRARY}");
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=linker.ld");
    println!("cargo:rerun-if-changed=asm");
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| String::from("."));
    embed_library(&root);
    for flag in FLAGS {
        println!("cargo:rustc-link-arg-bins={flag}");
    }
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{root}/linker.ld");
}
