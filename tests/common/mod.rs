//! Finding and starting the executable; shared by the tests that drive it as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The executable under test: `$PLAN_BIN`, or `build/plan` as `make` leaves it.
pub fn plan_path() -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("build/plan");
    std::env::var_os("PLAN_BIN").map_or_else(built, PathBuf::from)
}

/// Runs the executable with these arguments, no standard input, and no variables of its own set.
pub fn plan(args: &[&str]) -> Output {
    let mut command = Command::new(plan_path());
    for name in [
        "PLAN_ENGINE",
        "PLAN_JETS",
        "PLAN_PINS",
        "PLAN_READONLY",
        "PLAN_VERIFY",
        "PLANCMD",
    ] {
        command.env_remove(name);
    }
    let output = command
        .args(args)
        .stdin(std::process::Stdio::null())
        .output();
    output.expect("the executable starts (run make first)")
}
