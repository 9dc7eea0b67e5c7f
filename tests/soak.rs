//! No growth: programs that make and drop pins, naturals, buffers, lists and exceptions take no more
//! memory after half an hour than after a minute.
//!
//! One process for each mix runs at the same time. Each checks its own results in every round, and is
//! ended after the time. Its resident memory is read from `/proc` all the while.
//!
//! `PLAN_SOAK_SECONDS` is the time, 6 unless set; `make soak` runs half an hour.
//!
//! Invariants:
//! - the limit is what a program may take at any moment: far less than what it makes in a second,
//!   and independent of the time;
//! - children are ended by their handles.

#[path = "support/mod.rs"]
mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::process::{binary, scratch_dir};

/// The parts of the mixes. Each `x-round` makes much, keeps nothing, and is 1 if it found what it
/// should.
const PARTS: &str = "(require \"std\")
(defun (churn n acc)
  (If n (let ((p (Pin (0 n acc)))) (Seq p (churn (Dec n) (Add acc (Ix 0 (Unpin p)))))) acc))
(defun (chain n p) (If n (let ((q (Pin (0 n p)))) (Seq q (chain (Dec n) q))) p))
(defun (depth p n) (Seq n (If (IsPin p) (depth (Ix 1 (Unpin p)) (Inc n)) n)))
(defun (pins-round k)
  (let ((p (chain (Add 1000 k) 0)))
    (Seq p (If (Eq (churn 200000 0) 20000100000) (Eq (depth p 0) (Add 1000 k)) 0))))
(defun (wide n b acc)
  (If n (let ((p (Pin (0 n b)))) (Seq p (wide (Dec n) b (Add acc (Ix 0 (Unpin p)))))) acc))
(defun (wide-round k) (Seq k (Eq (wide 1000 (Bex 300000) 0) 500500)))
(defun (powers n x acc) (If n (powers (Dec n) x (Mul acc x)) acc))
(defun (nats-round k)
  (let* ((n (Add (Bex (Add 100000 (Mul 777 k))) k)) (m (powers 8 n 1)))
    (If (Eq (Div m n) (powers 7 n 1)) (Eq 0 (Mod m n)) 0)))
(defun (store buf i byte) ((Pin 15) (109 0 i 1 byte buf)))
(defun (buffers n size)
  (If n (let ((b (XBufOp size))) (Seq b (Seq (store b 17 9)
    (If (Eq (Load8 17 b) 9) (buffers (Dec n) size) 0)))) 1))
(defun (buffers-round k) (And (buffers 2000 (Add 64 k)) (buffers 300 (Add 60000 (Mul 99 k)))))
(defun (cells n l) (Seq l (If n (cells (Dec n) (0 n l)) l)))
(defun (total l acc) (Seq acc (If l (total (Ix 1 l) (Add acc (Ix 0 l))) acc)))
(defun (lists-round k)
  (let ((n (Add 50000 (Mul 5000 k)))) (Eq (Div (Mul n (Inc n)) 2) (total (cells n 0) 0))))
(defun (falling n) (If n (Seq (cells 10 0) (Inc (falling (Dec n)))) ((Pin \"Mine\") n)))
(defun (throws n) (If n (Seq (xtry falling 2000) (throws (Dec n))) 1))
(defun (throws-round k) (Seq k (throws 20)))
(defun (all-round k)
  (And (pins-round k) (And (wide-round k) (And (nats-round k)
    (And (buffers-round k) (And (lists-round k) (throws-round k)))))))
(defun (part k x) (Seq (xtry falling 20) (Add k (depth (chain (Add 300 x) 0) 0))))
(defun (parallel-round k)
  (Seq (xtry (par-map falling) [3 9 27]) (Eq (sum (par-gen 64 (part k))) (Add 21216 (Mul 64 k)))))
(defun (forever f k) (If (f (Mod k 50)) (forever f (Inc k)) 8))
";

/// Each mix with a variable of the environment, and the MiB it may take: what starts a collection,
/// twice, what is kept for reuse, and the heap.
const MIXES: [(&str, &str, u64); 8] = [
    ("pins-round", "", 192),
    ("wide-round", "", 256),
    ("nats-round", "", 128),
    ("buffers-round", "", 192),
    ("lists-round", "", 128),
    ("parallel-round", "PLAN_THREADS=3", 256),
    ("all-round", "", 320),
    ("all-round", "PLAN_GC=7", 320),
];

struct Run {
    name: String,
    most: u64,
    child: Child,
    /// Resident KiB over time.
    seen: Vec<u64>,
}

impl Run {
    fn start(mix: &str, variable: &str, most: u64) -> Run {
        let path = scratch_dir("soak").join("soak.wisp");
        let main = format!("{PARTS}(defun (main args) (forever {mix} args))\n");
        std::fs::write(&path, main).expect("a scratch file");
        let mut command = Command::new(binary());
        command.arg("wisp").arg(path).stdin(Stdio::null());
        if let Some((name, value)) = variable.split_once('=') {
            command.env(name, value);
        }
        Run {
            name: format!("{mix} {variable}"),
            most: most << 10,
            child: command.spawn().expect("the executable starts"),
            seen: Vec::new(),
        }
    }

    /// Notes how much memory is resident now.
    fn look(&mut self) {
        let ended = self.child.try_wait().expect("a child");
        assert!(ended.is_none(), "{}: ended: {ended:?}", self.name);
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).expect("a process");
        let line = text.lines().find(|line| line.starts_with("VmRSS:"));
        let word = line.and_then(|line| line.split_whitespace().nth(1));
        let now = word.and_then(|word| word.parse().ok()).expect("a number");
        assert!(now <= self.most, "{}: {now} KiB", self.name);
        self.seen.push(now);
    }

    /// The largest number in each eighth of the time.
    fn report(&self) -> String {
        let part = self.seen.len().div_ceil(8).max(1);
        let maxima = self.seen.chunks(part).filter_map(|part| part.iter().max());
        let shown: Vec<String> = maxima.map(|kib| (kib >> 10).to_string()).collect();
        format!("{:24} MiB by eighths: {}", self.name, shown.join(" "))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn memory_does_not_grow_with_time() {
    let seconds = std::env::var("PLAN_SOAK_SECONDS").map_or(6, |text| {
        text.parse()
            .expect("PLAN_SOAK_SECONDS is a number of seconds")
    });
    let start = Instant::now();
    let mut runs: Vec<Run> = MIXES.map(|(mix, v, most)| Run::start(mix, v, most)).into();
    while start.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_millis(50));
        runs.iter_mut().for_each(Run::look);
    }
    for run in &runs {
        println!("{}", run.report());
    }
}
