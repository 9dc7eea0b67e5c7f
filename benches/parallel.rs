//! Measures parallel evaluation: programs under `seeds/` on one thread, on two, and on as many as
//! there are processors.
//!
//!     make && cargo bench --bench parallel
//!
//! Each program is run as a process of its own, in turn on each number of threads. The table goes to
//! standard output as Markdown; `docs/benchmarks.md` says what the columns mean.
//!
//! | variable | effect |
//! |---|---|
//! | `PLAN_BENCH_RUNS` | timed runs per program and number of threads, 7 unless set |
//!
//! Invariants:
//! - a run counts only if its output is that of one thread.

mod usage;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where output is kept while this runs.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// Programs and their arguments.
const CASES: &[&[&str]] = &[
    &["parqueens", "11"],
    &["parmap", "1000000"],
    &["parmap", "1000000", "1"],
];

type Error = Box<dyn std::error::Error>;

/// Times of the runs of one case on one number of threads, in milliseconds.
#[derive(Default)]
struct Times {
    elapsed: Vec<f64>,
    cpu: Vec<f64>,
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Runs a case once; its output.
fn run(plan: &Path, case: &[&str], threads: usize, times: &mut Times) -> Result<Vec<u8>, Error> {
    let seed = format!("build/seeds/{}.seed", case[0]);
    let out = Path::new(SCRATCH).join("parallel.out");
    let start = Instant::now();
    #[allow(
        clippy::zombie_processes,
        reason = "reap waits for the child, by wait4"
    )]
    let child = Command::new(plan)
        .arg(seed)
        .args(&case[1..])
        .env("PLAN_THREADS", threads.to_string())
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out)?)
        .spawn()?;
    let (status, used) = usage::reap(child.id())?;
    times.elapsed.push(start.elapsed().as_secs_f64() * 1e3);
    times.cpu.push(used.cpu().as_secs_f64() * 1e3);
    if !status.success() {
        return Err(format!("{case:?} on {threads} threads: {status}").into());
    }
    Ok(std::fs::read(&out)?)
}

fn main() -> Result<(), Error> {
    let plan = PathBuf::from("build/plan").canonicalize()?;
    let runs: usize = std::env::var("PLAN_BENCH_RUNS").map_or(Ok(7), |text| text.parse())?;
    let processors = std::thread::available_parallelism()?.get();
    let mut counts = vec![1, 2, processors.max(2)];
    counts.dedup();
    println!("| program | threads | ms | cpu ms | times faster |\n|---|--:|--:|--:|--:|");
    for case in CASES {
        let mut all: Vec<Times> = counts.iter().map(|_| Times::default()).collect();
        let mut expected = None;
        for _ in 0..runs {
            for (threads, times) in counts.iter().zip(&mut all) {
                let output = run(&plan, case, *threads, times)?;
                if *expected.get_or_insert_with(|| output.clone()) != output {
                    return Err(format!("{case:?} on {threads} threads: another output").into());
                }
            }
        }
        let one = median(&mut all[0].elapsed);
        for (threads, times) in counts.iter().zip(&mut all) {
            let (ms, cpu) = (median(&mut times.elapsed), median(&mut times.cpu));
            let (name, ratio) = (case.join(" "), one / ms);
            println!("| {name} | {threads} | {ms:.0} | {cpu:.0} | {ratio:.2} |");
        }
    }
    Ok(())
}
