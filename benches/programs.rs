//! Measures `build/plan` with the programs under `seeds/`, and a rival beside it.
//!
//!     make && cargo bench --bench programs [-- PROGRAM…]
//!
//! Every program is saved as a seed and run several times as a process of its own. The tables go
//! to standard output as Markdown; `docs/benchmarks.md` says what the columns mean.
//!
//! | variable | effect |
//! |---|---|
//! | `PLAN_RIVAL` | another seed runner, run in turn with `build/plan` on the same seeds |
//! | `PLAN_BENCH_RUNS` | timed runs per program, 5 unless set |
//! | `PLAN_BENCH_EXTRA` | further cases `NAME=SEED[<INPUT]`, separated by `;` |
//!
//! Invariants:
//! - Both sides get the same seed, arguments, input and limits, and alternate within one loop.
//! - A time counts only if the output is that of `seeds/expected.tsv` (extra cases: equal on both
//!   sides) and the status is 0; otherwise the row says so and the whole run ends with status 1.
//! - Timed runs are made without `PLAN_STATS`; the statistics come from one run more.
//! - Every child is limited in processor time and is waited for.

mod usage;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use usage::reap;

/// Shell commands in front of every run: no limit on the native stack (some evaluators recurse on
/// it) and 300 seconds of processor time.
const LIMITS: &str = "ulimit -s unlimited 2>/dev/null; ulimit -t 300; exec \"$0\" \"$@\"";
/// Timed runs of each program on each side.
const RUNS: usize = 5;
/// Where seeds and captured output are kept while this runs.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

type Error = Box<dyn std::error::Error>;

/// A program and what is to be fed to it.
struct Case {
    name: String,
    seed: PathBuf,
    input: Option<PathBuf>,
    expected: Option<Vec<u8>>,
}

/// One finished run.
struct Run {
    wall: Duration,
    /// Processor time, user and system, of all threads.
    cpu: Duration,
    /// Peak resident memory in KiB.
    peak: i64,
    status: ExitStatus,
    output: Vec<u8>,
    errors: Vec<u8>,
}

/// The runs of one side on one case.
#[derive(Default)]
struct Side {
    walls: Vec<Duration>,
    cpus: Vec<Duration>,
    peak: i64,
    fault: Option<String>,
    output: Vec<u8>,
}

/// Runs `runner` on a case once. Output goes through files, so that no pipe can fill up.
#[allow(
    clippy::zombie_processes,
    reason = "reap waits for the child, by wait4"
)]
fn run(runner: &Path, case: &Case, stats: bool) -> Result<Run, Error> {
    let (out, err) = (
        Path::new(SCRATCH).join("stdout"),
        Path::new(SCRATCH).join("stderr"),
    );
    let input = match &case.input {
        Some(path) => Stdio::from(File::open(path)?),
        None => Stdio::null(),
    };
    let mut command = Command::new("sh");
    command.args(["-c", LIMITS]).arg(runner).arg(&case.seed);
    command
        .stdin(input)
        .stdout(File::create(&out)?)
        .stderr(File::create(&err)?);
    command.env_remove("PLAN_STATS");
    if stats {
        command.env("PLAN_STATS", "1");
    }
    let start = Instant::now();
    let child = command.spawn()?;
    let (status, usage) = reap(child.id())?;
    let wall = start.elapsed();
    Ok(Run {
        wall,
        cpu: usage.cpu(),
        peak: usage.max_rss,
        status,
        output: std::fs::read(&out)?,
        errors: std::fs::read(&err)?,
    })
}

impl Side {
    /// Adds a run; the first one that is wrong is remembered.
    fn add(&mut self, run: Run, expected: Option<&[u8]>) {
        self.walls.push(run.wall);
        self.cpus.push(run.cpu);
        self.peak = self.peak.max(run.peak);
        if !run.status.success() {
            self.fault.get_or_insert_with(|| run.status.to_string());
        } else if expected.is_some_and(|text| text != run.output) {
            self.fault.get_or_insert_with(|| "wrong output".to_owned());
        }
        self.output = run.output;
    }

    /// Fastest and slowest time over the median, in percent of it: how far to trust the median.
    fn spread(&self) -> f64 {
        let (low, high) = self
            .walls
            .iter()
            .fold((f64::MAX, 0f64), |(low, high), wall| {
                (low.min(wall.as_secs_f64()), high.max(wall.as_secs_f64()))
            });
        (high - low) / median(&self.walls) * 100.0
    }

    /// The cells of a row: time, spread, processor time, peak memory; or what went wrong.
    fn cells(&self) -> String {
        match &self.fault {
            Some(fault) => format!(" {fault} | | | |"),
            None => format!(
                " {:.1} | {:.0} % | {:.1} | {:.1} |",
                median(&self.walls) * 1e3,
                self.spread(),
                median(&self.cpus) * 1e3,
                self.peak as f64 / 1024.0
            ),
        }
    }
}

/// The median in seconds.
fn median(times: &[Duration]) -> f64 {
    let mut times: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    times.sort_by(f64::total_cmp);
    let half = times.len() / 2;
    if times.len() % 2 == 1 {
        times[half]
    } else {
        f64::midpoint(times[half - 1], times[half])
    }
}

/// The figures of the line `plan: stats: name=number …`, empty when there is none.
fn statistics(errors: &[u8]) -> BTreeMap<String, f64> {
    let text = String::from_utf8_lossy(errors);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("plan: stats: "));
    let fields = line.unwrap_or("").split_whitespace();
    fields
        .filter_map(|field| {
            let (name, number) = field.split_once('=')?;
            Some((name.to_owned(), number.parse().ok()?))
        })
        .collect()
}

/// The programs of `seeds/expected.tsv` with their default size, saved as seeds by `plan`.
fn programs(plan: &Path, root: &Path, wanted: &[String]) -> Result<Vec<Case>, Error> {
    let table = std::fs::read_to_string(root.join("seeds/expected.tsv"))?;
    let mut cases = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, arguments, expected] = fields[..] else {
            return Err(format!("seeds/expected.tsv: not three fields: {line}").into());
        };
        let chosen = wanted.is_empty() || wanted.iter().any(|word| word == name);
        if !arguments.is_empty() || !chosen {
            continue;
        }
        let seed = Path::new(SCRATCH).join(format!("{name}.seed"));
        let text = root.join(format!("seeds/{name}.wisp"));
        let saved = Command::new(plan)
            .args(["seed", "save"])
            .arg(&text)
            .arg("-o")
            .arg(&seed)
            .status()?;
        if !saved.success() {
            return Err(format!("plan seed save {}: {saved}", text.display()).into());
        }
        let expected = Some(expected.replace("\\n", "\n").into_bytes());
        cases.push(Case {
            name: name.to_owned(),
            seed,
            input: None,
            expected,
        });
    }
    Ok(cases)
}

/// The cases of `PLAN_BENCH_EXTRA`.
fn extras(wanted: &[String]) -> Result<Vec<Case>, Error> {
    let list = std::env::var("PLAN_BENCH_EXTRA").unwrap_or_default();
    let mut cases = Vec::new();
    for item in list.split(';').filter(|item| !item.is_empty()) {
        let (name, files) = item
            .split_once('=')
            .ok_or_else(|| format!("PLAN_BENCH_EXTRA: no '=' in {item}"))?;
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        let (seed, input) = match files.split_once('<') {
            Some((seed, input)) => (seed, Some(PathBuf::from(input))),
            None => (files, None),
        };
        cases.push(Case {
            name: name.to_owned(),
            seed: seed.into(),
            input,
            expected: None,
        });
    }
    Ok(cases)
}

/// Runs one case on both sides in turn and returns the two sides and the statistics of ours.
fn measure(
    plan: &Path,
    rival: Option<&Path>,
    case: &Case,
    runs: usize,
) -> Result<(Side, Side, BTreeMap<String, f64>), Error> {
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    for _ in 0..runs {
        ours.add(run(plan, case, false)?, case.expected.as_deref());
        if let Some(rival) = rival {
            theirs.add(run(rival, case, false)?, case.expected.as_deref());
        }
    }
    if rival.is_some() && ours.output != theirs.output && ours.fault.is_none() {
        ours.fault = Some("output differs from the rival's".to_owned());
    }
    let stats = statistics(&run(plan, case, true)?.errors);
    Ok((ours, theirs, stats))
}

/// The rival's medians over ours.
struct Ratio {
    wall: f64,
    cpu: f64,
}

/// The table of times; returns the ratios of the rows without a fault.
fn times(rows: &[(Case, Side, Side)], rival: bool) -> (String, Vec<Ratio>) {
    let mut text = String::from("\n| program | plan ms | spread | cpu ms | peak MB |");
    let mut rule = String::from("|---|--:|--:|--:|--:|");
    if rival {
        text += " rival ms | spread | cpu ms | peak MB | rival / plan | by cpu |";
        rule += "--:|--:|--:|--:|--:|--:|";
    }
    text = format!("{text}\n{rule}\n");
    let mut ratios = Vec::new();
    for (case, ours, theirs) in rows {
        let _ = write!(text, "| {} |{}", case.name, ours.cells());
        if rival {
            text += &theirs.cells();
            if ours.fault.is_none() && theirs.fault.is_none() {
                let wall = median(&theirs.walls) / median(&ours.walls);
                let cpu = median(&theirs.cpus) / median(&ours.cpus);
                let _ = write!(text, " {wall:.2} | {cpu:.2} |");
                ratios.push(Ratio { wall, cpu });
            } else {
                text += " – | – |";
            }
        }
        text.push('\n');
    }
    (text, ratios)
}

/// The geometric mean of positive numbers.
fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    (numbers.map(f64::ln).sum::<f64>() / count).exp()
}

/// One row of the table of statistics.
fn memory_row(name: &str, stats: &BTreeMap<String, f64>) -> String {
    let mut row = format!("| {name} |");
    let scaled = |key: &str, unit: f64| stats.get(key).map(|value| value / unit);
    let share = scaled("gc_ns", 1.0)
        .zip(scaled("total_ns", 100.0))
        .map(|(gc, all)| gc / all);
    let columns = [
        (scaled("allocated", 1e6), 1),
        (scaled("collections", 1.0), 0),
        (share, 1),
        (scaled("peak_nursery", 1e6), 1),
        (scaled("pins", 1.0), 0),
    ];
    for (value, digits) in columns {
        match value {
            Some(value) => _ = write!(row, " {value:.digits$} |"),
            None => row += " – |",
        }
    }
    row
}

fn main() -> Result<std::process::ExitCode, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = root.join("build/plan");
    let rival = std::env::var_os("PLAN_RIVAL").map(PathBuf::from);
    let runs = match std::env::var("PLAN_BENCH_RUNS") {
        Ok(text) => text.parse::<usize>()?.max(1),
        Err(_) => RUNS,
    };
    // Cargo hands its own option `--bench` on.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let mut cases = programs(&plan, root, &wanted)?;
    cases.extend(extras(&wanted)?);

    let mut rows = Vec::new();
    let mut memory = String::from(
        "\n| program | allocated MB | collections | collecting % | peak nursery MB | pins |\n\
         |---|--:|--:|--:|--:|--:|\n",
    );
    for case in cases {
        eprintln!("{} …", case.name);
        let (ours, theirs, stats) = measure(&plan, rival.as_deref(), &case, runs)?;
        memory += &memory_row(&case.name, &stats);
        memory.push('\n');
        rows.push((case, ours, theirs));
    }
    let (table, ratios) = times(&rows, rival.is_some());
    println!("{table}");
    if !ratios.is_empty() {
        let wall = mean(ratios.iter().map(|ratio| ratio.wall));
        let cpu = mean(ratios.iter().map(|ratio| ratio.cpu));
        println!(
            "Geometric mean of rival / plan over {} cases:",
            ratios.len()
        );
        println!("{wall:.2} by elapsed time, {cpu:.2} by processor time.");
    }
    println!("{memory}");
    let sound = rows.iter().all(|(_, ours, _)| ours.fault.is_none());
    Ok(if sound {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    })
}
