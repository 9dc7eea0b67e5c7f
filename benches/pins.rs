//! Measures pins: what one costs, and how long the program waits while they are collected.
//!
//!     make && cargo bench --bench pins
//!
//! At last, without a program: how long one allocation takes while a million pins are swept, on the
//! thread that asks for it, with every second one dead; the collector is a thread of its own.
//!
//! Three programs in Wisp are saved as seeds and run as processes of their own: a million pins that
//! nothing keeps, a million that are kept, and temporary pins beside a chain of pins that stays.
//! The tables go to standard output as Markdown; `docs/benchmarks.md` says what the columns mean.
//!
//! | variable | effect |
//! |---|---|
//! | `PLAN_RIVAL` | another seed runner, run on the first two seeds |
//! | `PLAN_BENCH_GIB` | size of the chain in GiB, 4 unless set |
//!
//! Invariants:
//! - a run counts only if it ends with the status of its program.

mod usage;

use plan::heap::arena::{Arena, Owner, Reason};
use plan::value::{Header, Kind, TAG_PIN, Value};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// Where seeds and logs are kept while this runs.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");
/// The status every program ends with.
const STATUS: i32 = 7;
/// Bytes that a pin of the chain takes in the arena.
const LINK: u64 = 512;

/// `(churn n 0)` makes n pins and keeps none, `(chain n big p)` keeps n, each with a natural in it.
const LAWS: &str = "(require \"std\")
(defun (churn n acc)
  (If (Eq n 0) acc
    (let ((p (Pin (0 n acc))))
      (Seq p (churn (Dec n) (Add acc (Ix 0 (Unpin p))))))))
(defun (chain n big last)
  (If (Eq n 0) last
    (let ((p (Pin (0 (Add big n) last))))
      (Seq p (chain (Dec n) big p)))))
";

type Error = Box<dyn std::error::Error>;

/// Saves the program whose main is this as a seed.
fn save(plan: &Path, name: &str, main: &str) -> Result<PathBuf, Error> {
    let source = Path::new(SCRATCH).join(format!("{name}.wisp"));
    let seed = source.with_extension("seed");
    std::fs::write(&source, format!("{LAWS}(defun (main args) {main})\n"))?;
    let status = Command::new(plan)
        .args(["seed", "save"])
        .arg(&source)
        .arg("-o")
        .arg(&seed)
        .status()?;
    if status.success() {
        Ok(seed)
    } else {
        Err(format!("{name}: not saved").into())
    }
}

/// Runs a seed; prints elapsed time, processor time and peak memory. The standard error.
fn run(runner: &Path, seed: &Path, gc: &str) -> Result<String, Error> {
    let log = Path::new(SCRATCH).join("pins.log");
    let start = Instant::now();
    #[allow(
        clippy::zombie_processes,
        reason = "reap waits for the child, by wait4"
    )]
    let child = Command::new(runner)
        .arg(seed)
        .env("PLAN_GC", gc)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log)?)
        .spawn()?;
    let (status, used) = usage::reap(child.id())?;
    let wall = start.elapsed();
    let errors = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    if status.code() != Some(STATUS) {
        return Err(format!("{}: {status}: {errors}", seed.display()).into());
    }
    let name = seed.file_stem().unwrap_or_default().to_string_lossy();
    let ours = runner.ends_with("build/plan");
    let side = if ours { "plan" } else { "rival" };
    let (wall, cpu) = (wall.as_secs_f64() * 1e3, used.cpu().as_secs_f64() * 1e3);
    let peak = used.max_rss / 1024;
    println!("| {name} | {side} | {wall:.0} | {cpu:.0} | {peak} |");
    Ok(errors)
}

/// The microseconds `field=number` of the lines about a generation.
fn times(log: &str, generation: &str, field: &str) -> Vec<u64> {
    let start = format!("plan: gc: {generation} ");
    let lines = log.lines().filter(|line| line.starts_with(&start));
    let value = |line: &str| {
        let part = line.split(' ').find_map(|part| part.strip_prefix(field))?;
        part.strip_prefix('=')?.parse().ok()
    };
    let mut times: Vec<u64> = lines.filter_map(value).collect();
    times.sort_unstable();
    times
}

fn histogram(name: &str, sorted: &[u64]) {
    let Some(last) = sorted.last() else {
        return println!("| {name} | 0 | | | | |");
    };
    let at = |per_mille: usize| sorted[(sorted.len() * per_mille / 1000).min(sorted.len() - 1)];
    let (count, half, p99, p999) = (sorted.len(), at(500), at(990), at(999));
    println!("| {name} | {count} | {half} | {p99} | {p999} | {last} |");
}

/// Makes a pin that refers to nothing, and notes the nanoseconds it took to get the block.
fn make(arena: &mut Arena, times: &mut Vec<u64>) -> Result<Value, Error> {
    let start = Instant::now();
    let made = arena.allocate(Header::new(Kind::Pin, 10), Owner::Collected);
    times.push(start.elapsed().as_nanos() as u64);
    let pin = Value::reference(TAG_PIN, made.map_err(|e| e.to_string())?.as_ptr());
    // Of the payload the collector reads the number of pins it refers to.
    pin.set_raw(2, 0);
    Ok(pin)
}

/// Collects twenty times, on this thread, as a mutator without roots.
fn collect_on(mut arena: Arena, done: &AtomicBool) {
    for number in 1..=20 {
        arena.begin(Reason::Request);
        if let Some(gathering) = arena.gather() {
            gathering.end();
        }
        while arena.counters().collections < number {
            arena.finish();
            std::thread::yield_now();
        }
    }
    done.store(true, Relaxed);
}

/// Nanoseconds of allocations that a mutator makes at rest, and while another thread marks and sweeps.
fn latencies() -> Result<[Vec<u64>; 2], Error> {
    let mut arena = Arena::with_log2(32).map_err(|e| format!("no address space: {e:?}"))?;
    let (mut idle, mut busy, mut roots) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..1_000_000 {
        let pin = make(&mut arena, &mut idle)?;
        roots.extend((i % 2 == 0).then_some(pin));
    }
    let (other, done) = (arena.share(), AtomicBool::new(false));
    std::thread::scope(|scope| -> Result<(), Error> {
        scope.spawn(|| collect_on(other, &done));
        while !done.load(Relaxed) {
            if let Some(mut gathering) = arena.gather() {
                roots.iter().for_each(|pin| gathering.root(*pin));
                gathering.end();
            }
            for _ in 0..100 {
                make(&mut arena, &mut busy)?;
            }
        }
        Ok(())
    })?;
    idle.sort_unstable();
    busy.sort_unstable();
    Ok([idle, busy])
}

fn main() -> Result<(), Error> {
    let plan = PathBuf::from("build/plan").canonicalize()?;
    let gib: u64 = std::env::var("PLAN_BENCH_GIB").map_or(Ok(4), |text| text.parse())?;
    let links = (gib << 30) / LINK;
    println!("| program | runner | ms | cpu ms | peak MiB |\n|---|---|--:|--:|--:|");
    let temporary = save(&plan, "temporary", "(Seq (churn 1000000 0) 7)")?;
    let kept = save(
        &plan,
        "kept",
        "(let ((p (chain 1000000 0 0))) (Seq p (Seq (Unpin p) 7)))",
    )?;
    // 3,272 bits make a pin of 512 bytes.
    let main = format!(
        "(let ((p (chain {links} (Bex 3271) 0))) (Seq p (Seq (churn 15000000 0) (Seq (Unpin p) 7))))"
    );
    let beside = save(&plan, "beside", &main)?;
    let rival = std::env::var_os("PLAN_RIVAL").map(PathBuf::from);
    for seed in [&temporary, &kept] {
        for runner in [Some(&plan), rival.as_ref()].into_iter().flatten() {
            run(runner, seed, "")?;
        }
    }
    let log = run(&plan, &beside, "log,20")?;
    println!(
        "\n| pauses, µs | number | half | 99 % | 99.9 % | longest |\n|---|--:|--:|--:|--:|--:|"
    );
    let (nursery, roots) = (
        times(&log, "nursery", "pause_us"),
        times(&log, "pins", "pause_us"),
    );
    let mut all = [&nursery[..], &roots].concat();
    all.sort_unstable();
    histogram("collections of the nursery", &nursery);
    histogram("roots of a collection of pins", &roots);
    histogram("both", &all);
    histogram(
        "whole collections of pins, beside the program",
        &times(&log, "pins", "total_us"),
    );
    // Last, because a child counts the memory it has of its parent at first.
    let [idle, busy] = latencies()?;
    println!("\n| allocations, ns | number | half | 99 % | 99.9 % | longest |");
    println!("|---|--:|--:|--:|--:|--:|");
    histogram("at rest", &idle);
    histogram("during collections", &busy);
    Ok(())
}
