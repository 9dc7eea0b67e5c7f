//! Link flags of the freestanding executable, and nothing else.
//!
//! Invariants:
//! - the flags reach binaries only (`rustc-link-arg-bins`): tests, benches and build scripts are
//!   ordinary hosted programs and crash at start when linked this way;
//! - everything the layout of the executable depends on is in `linker.ld`.

use std::env;

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
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=linker.ld");
    println!("cargo:rerun-if-changed=asm");
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| String::from("."));
    for flag in FLAGS {
        println!("cargo:rustc-link-arg-bins={flag}");
    }
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{root}/linker.ld");
}
