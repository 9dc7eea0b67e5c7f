//! Measures commits: how many are durable in a second, beside what the file system can do and beside
//! two databases; how long images of different sizes take to start; how an image grows.
//!
//!     make && cargo bench --bench commit
//!
//! A program in Wisp commits a counter, or a pin of 1 MB that is another one each time. Beside it, in
//! turn and in the same directory: as many bytes as the image's process wrote, by one `pwrite` and one
//! `fdatasync` each time, in place, in turn over 16 places, and at the end of a growing file; SQLite
//! and LMDB putting the same value under one key, driven by a program that is compiled here if there
//! are a C compiler and the libraries. The tables go to standard output as Markdown;
//! `docs/benchmarks.md` says what the columns mean. Beside all this stands another implementation, if
//! its program that makes images is named, and another build of this one.
//!
//! | variable | effect |
//! |---|---|
//! | `PLAN_BENCH_RUNS` | runs of each, 5 unless set |
//! | `PLAN_BENCH_GIB` | the largest image started, 1 unless set; its holes are made by `fallocate` |
//! | `PLAN_RIVAL_BOOT` | run as `BOOT SEED IMAGE`: makes an image of another implementation |
//! | `PLAN_BENCH_BEFORE` | an executable `plan` to compare with |
//! | `PLAN_BENCH_SEED` | `SEED<INPUT`: a program whose image is measured before and after its run |
//!
//! Invariants:
//! - a run counts only if it ends with status 0;
//! - no run begins while another one writes;
//! - a rate is compared with that of the same round.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where images and files are kept while this runs: the file system that is measured.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

type Error = Box<dyn std::error::Error>;

/// `driver sqlite|lmdb FILE COUNT BYTES`: puts a value of so many bytes under one key, so many times,
/// each time durably.
const DRIVER: &str = r#"
#include <stdlib.h>
#include <string.h>
#ifdef SQLITE
#include <sqlite3.h>
int main(int n, char **v) {
    sqlite3 *db; sqlite3_stmt *put; int count = atoi(v[2]), size = atoi(v[3]);
    char *value = calloc(1, size);
    if (sqlite3_open(v[1], &db)) return 1;
    if (sqlite3_exec(db, "pragma journal_mode=wal; pragma synchronous=full;"
        "create table if not exists t(k integer primary key, v blob)", 0, 0, 0)) return 2;
    if (sqlite3_prepare_v2(db, "insert or replace into t values(1, ?)", -1, &put, 0)) return 3;
    for (int i = 0; i < count; i++) {
        memcpy(value, &i, 4);
        sqlite3_bind_blob(put, 1, value, size, SQLITE_STATIC);
        if (sqlite3_step(put) != SQLITE_DONE) return 4;
        sqlite3_reset(put);
    }
    return 0;
}
#else
#include <lmdb.h>
int main(int n, char **v) {
    MDB_env *env; MDB_txn *txn; MDB_dbi dbi; int count = atoi(v[2]), size = atoi(v[3]);
    char *value = calloc(1, size);
    if (mdb_env_create(&env) || mdb_env_set_mapsize(env, 1ul << 30)) return 1;
    if (mdb_env_open(env, v[1], MDB_NOSUBDIR, 0600)) return 2;
    for (int i = 0; i < count; i++) {
        MDB_val key = { 1, "k" }, data = { size, value };
        memcpy(value, &i, 4);
        if (mdb_txn_begin(env, 0, 0, &txn) || mdb_dbi_open(txn, 0, 0, &dbi)) return 3;
        if (mdb_put(txn, dbi, &key, &data, 0) || mdb_txn_commit(txn)) return 4;
    }
    return 0;
}
#endif
"#;

/// Commits (next n) for so many n, beginning after what was committed last.
fn program(count: u32, next: &str) -> String {
    format!(
        "(require \"std\")
(defun (next n) {next})
(defun (go state args)
  (@ left   (If (IsNat args) args {count}))
  (@ n      (Inc (Ix 0 state)))
  (@ stored (Last (commit (go [n (next n)]))))
  (If left (Seq stored (go stored (Dec left))) 0))
(define main (go [0 0]))
"
    )
}

/// Adds 16 pins of 64 MB to those that are there if it has an argument, else it ends.
const LARGE: &str = "(require \"std\")
(defun (more n list) (If n (Seq list (more (Dec n) [(Pin (Add n (Bex 536870911))) list])) list))
(defun (go state args)
  (If (IsNat args) 0 (Seq (commit (go (more 16 state))) 0)))
(define main (go 0))
";

/// An image of this program.
fn image(name: &str, wisp: &str) -> Result<PathBuf, Error> {
    image_by(Path::new("build/plan"), name, wisp)
}

/// An image of this program that this executable makes.
fn image_by(plan: &Path, name: &str, wisp: &str) -> Result<PathBuf, Error> {
    let path = Path::new(SCRATCH).join(format!("commit-{name}"));
    let source = path.with_extension("wisp");
    fs::write(&source, wisp)?;
    let mut build = Command::new(plan);
    succeed(build.arg("build").arg(&source).arg("-o").arg(&path))?;
    Ok(path)
}

/// The image of another implementation of the same program, if there is one.
fn rival(name: &str, wisp: &str) -> Result<Option<PathBuf>, Error> {
    let path = Path::new(SCRATCH).join(format!("commit-rival-{name}"));
    let (source, seed) = (path.with_extension("wisp"), path.with_extension("seed"));
    fs::write(&source, wisp)?;
    let mut save = Command::new("build/plan");
    succeed(
        save.args(["seed", "save"])
            .arg(&source)
            .arg("-o")
            .arg(&seed),
    )?;
    rival_of(&seed, &path)
}

/// The image of another implementation of this seed.
fn rival_of(seed: &Path, path: &Path) -> Result<Option<PathBuf>, Error> {
    let Ok(boot) = std::env::var("PLAN_RIVAL_BOOT") else {
        return Ok(None);
    };
    if path.exists() {
        fs::remove_file(path)?;
    }
    succeed(Command::new(boot).arg(seed).arg(path))?;
    Ok(Some(path.to_path_buf()))
}

/// Runs a command to its end; how long that took.
fn succeed(command: &mut Command) -> Result<Duration, Error> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let taken = start.elapsed();
    match status.code() {
        Some(0) => Ok(taken),
        _ => Err(format!("{command:?}: {status}").into()),
    }
}

/// The compiled driver of a database, if its library is there.
fn driver(name: &str) -> Option<PathBuf> {
    let path = Path::new(SCRATCH).join(format!("commit-driver-{name}"));
    let library = if name == "SQLITE" {
        "-lsqlite3"
    } else {
        "-llmdb"
    };
    let mut cc = Command::new("cc")
        .args(["-O2", "-x", "c", "-D", name, "-", "-o"])
        .arg(&path)
        .arg(library)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    cc.stdin.take()?.write_all(DRIVER.as_bytes()).ok()?;
    cc.wait().ok()?.success().then_some(path)
}

/// So many blocks over each other, or in turn over so many places that are there already, or one behind
/// another if there are no places.
fn raw(count: u32, bytes: usize, places: u32) -> Result<Duration, Error> {
    let path = Path::new(SCRATCH).join("commit-raw");
    let file = File::create(&path)?;
    let mut block = vec![1; bytes];
    let at = |i: u32| u64::from(i) * bytes as u64;
    for place in 0..places.max(1) {
        file.write_all_at(&block, at(place))?;
    }
    file.sync_all()?;
    let start = Instant::now();
    for i in 0..count {
        block[..4].copy_from_slice(&i.to_le_bytes());
        let place = i.checked_rem(places).unwrap_or(i);
        file.write_all_at(&block, at(place))?;
        file.sync_data()?;
    }
    let taken = start.elapsed();
    fs::remove_file(path)?;
    Ok(taken)
}

/// What is run in turn.
struct Contender {
    name: String,
    run: Box<dyn Fn() -> Result<Duration, Error>>,
    times: Vec<Duration>,
}

fn contender(
    name: impl Into<String>,
    run: impl Fn() -> Result<Duration, Error> + 'static,
) -> Contender {
    Contender {
        name: name.into(),
        run: Box::new(run),
        times: Vec::new(),
    }
}

/// A database that begins with no file.
fn database(name: &str, count: u32, bytes: usize) -> Option<Contender> {
    let Some(driver) = driver(name) else {
        eprintln!("{name}: no C compiler or no library, left out");
        return None;
    };
    let file = Path::new(SCRATCH).join("commit-database");
    let title = if name == "SQLITE" {
        "SQLite (WAL, full)"
    } else {
        "LMDB"
    };
    Some(contender(title, move || {
        for suffix in ["", "-wal", "-shm", "-lock"] {
            // What is not there need not be removed.
            let _ = fs::remove_file(format!("{}{suffix}", file.display()));
        }
        let mut command = Command::new(&driver);
        succeed(
            command
                .arg(&file)
                .arg(count.to_string())
                .arg(bytes.to_string()),
        )
    }))
}

/// Bytes an image's process writes for one commit: its superblock and the record. Until pages have
/// been given back there is no map of free space to be written.
fn written(bytes: usize) -> usize {
    bytes.next_multiple_of(4096) + 4096
}

/// How much of a rate another one is, in percent: the median over the rounds, because the disk may be
/// ten times as fast in one as in another.
fn ratio(base: &[Duration], times: &[Duration]) -> f64 {
    let pairs = base.iter().zip(times);
    let mut all: Vec<f64> = pairs
        .map(|(base, time)| 100.0 * base.as_secs_f64() / time.as_secs_f64())
        .collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// One table: the program commits `count` times a value of `bytes` bytes.
fn table(title: &str, next: &str, count: u32, bytes: usize, runs: u32) -> Result<(), Error> {
    let block = written(bytes);
    let (name, wisp) = (bytes.to_string(), program(count, next));
    let image = image(&name, &wisp)?;
    let mut all = vec![
        contender("plan", move || succeed(Command::new(&image).arg("run"))),
        contender("raw, in place", move || raw(count, block, 1)),
        contender("raw, in 16 places", move || raw(count, block, 16)),
        contender("raw, growing", move || raw(count, block, 0)),
    ];
    if let Ok(before) = std::env::var("PLAN_BENCH_BEFORE") {
        let image = image_by(Path::new(&before), &format!("{name}-before"), &wisp)?;
        all.push(contender("before", move || {
            succeed(Command::new(&image).arg("run"))
        }));
    }
    all.extend(
        rival(&name, &wisp)?
            .map(|image| contender("rival", move || succeed(Command::new(&image).arg("run")))),
    );
    all.extend(database("SQLITE", count, bytes));
    all.extend(database("LMDB", count, bytes));
    for _ in 0..runs {
        for one in &mut all {
            one.times.push((one.run)()?);
        }
    }
    println!("\n| {title} | commits/s | spread | of raw in place |\n|---|--:|--:|--:|");
    let rate = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        let per = |time: &Duration| f64::from(count) / time.as_secs_f64();
        let (low, high) = (per(&times[times.len() - 1]), per(&times[0]));
        (per(&times[times.len() / 2]), high - low)
    };
    let base = all[1].times.clone();
    for one in &mut all {
        let of_raw = ratio(&base, &one.times);
        let (median, spread) = rate(&mut one.times);
        let spread = 100.0 * spread / median;
        println!(
            "| {} | {median:.0} | {spread:.0} % | {of_raw:.0} % |",
            one.name
        );
    }
    Ok(())
}

/// How long an image takes from start to end, doing nothing.
fn mount_time(image: &Path, label: &str) -> Result<(), Error> {
    let mut times = Vec::new();
    for _ in 0..100 {
        times.push(succeed(&mut Command::new(image))?);
    }
    times.sort_unstable();
    let stat = fs::metadata(image)?;
    println!(
        "| {label} | {:.0} | {:.0} | {:.2} |",
        stat.len() as f64 / 1e6,
        stat.blocks() as f64 * 512.0 / 1e6,
        times[50].as_secs_f64() * 1e3
    );
    Ok(())
}

fn mounts(largest: u64) -> Result<(), Error> {
    println!("\n| image | MB | MB on disk | start to end, ms |\n|---|--:|--:|--:|");
    let ten = LARGE.replace("536870911", "5242879");
    let contenders = [
        ("", Some(image("ten", &ten)?)),
        ("rival, ", rival("ten", &ten)?),
    ];
    for (who, image) in contenders {
        let Some(image) = image else { continue };
        mount_time(&image, &format!("{who}new"))?;
        succeed(Command::new(&image).arg("more"))?;
        mount_time(&image, &format!("{who}16 pins"))?;
    }
    let large = image("large", LARGE)?;
    for gib in 1..=largest {
        succeed(Command::new(&large).arg("more"))?;
        succeed(Command::new("fallocate").arg("-d").arg(&large))?;
        if gib == 1 || gib == largest {
            mount_time(&large, &format!("{} pins", 16 * gib))?;
        }
    }
    fs::remove_file(large)?;
    Ok(())
}

/// The image of a program before and after it has run.
fn growth(case: &str) -> Result<(), Error> {
    let (seed, input) = case
        .split_once('<')
        .ok_or("PLAN_BENCH_SEED is SEED<INPUT")?;
    let image = Path::new(SCRATCH).join("commit-growth");
    let mut boot = Command::new("build/plan");
    succeed(boot.arg("boot").arg(seed).arg(&image))?;
    grow(case, &image, input)?;
    let rival = Path::new(SCRATCH).join("commit-rival-growth");
    match rival_of(Path::new(seed), &rival)? {
        Some(rival) => grow("rival", &rival, input),
        None => Ok(()),
    }
}

/// Runs an image once and prints what has become of it.
fn grow(label: &str, image: &Path, input: &str) -> Result<(), Error> {
    let before = fs::metadata(image)?.len();
    let mut run = Command::new(image);
    run.stdin(File::open(input)?).stdout(Stdio::null());
    let start = Instant::now();
    let status = run.status()?;
    let taken = start.elapsed().as_secs_f64();
    let stat = fs::metadata(image)?;
    let (after, disk) = (stat.len(), stat.blocks() * 512);
    println!(
        "\n{label}: {status}, {before} bytes before, {after} after ({disk} on disk), {taken:.2} s"
    );
    Ok(())
}

fn number(name: &str, otherwise: u64) -> Result<u64, Error> {
    Ok(std::env::var(name).map_or(Ok(otherwise), |text| text.parse())?)
}

fn main() -> Result<(), Error> {
    let runs = number("PLAN_BENCH_RUNS", 5)? as u32;
    table("a counter", "0", 500, 16, runs)?;
    let delta = "(Pin (Add n (Bex 7999999)))";
    table("1 MB", delta, 50, 1_000_000, runs)?;
    mounts(number("PLAN_BENCH_GIB", 1)?)?;
    if let Ok(case) = std::env::var("PLAN_BENCH_SEED") {
        growth(&case)?;
    }
    Ok(())
}
