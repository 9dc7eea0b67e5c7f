//! Damage: each byte of a small image is changed, one at a time, and the image is used in every way.
//!
//! Invariants:
//! - the commands find the damage, or it makes no difference: status 4 or 3 with a line that says why, or
//!   what they say of the sound image; never a signal, never another value;
//! - so does a run that verifies the image at its start;
//! - a run that does not may not notice, because a start checks no more than it needs: it may end with
//!   any status of its own, or go on for ever if a law has become one that does. Such a run is ended by
//!   the limit of its processor time, a thousand times what a sound one takes; they are counted, and
//!   must be few. It never ends by another signal or with the word of an internal error;
//! - of the executable part, what says where everything is is changed: header, program and section
//!   headers, marker. What the kernel reads of it decides before any of our instructions whether
//!   and how the process begins, so such a run may be refused, end by a signal or be ended after
//!   half a second, but leaves the file alone. Instructions and constants of the runtime are under no
//!   checksum;
//! - nobody has a copy open for writing while a process is started: the system would refuse to execute it.

mod support;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, pipe};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;
use support::images::smallest_elf;
use support::process::{SPAWNING, binary, spawn, write_program};
use support::{End, Plan, scratch_dir};

/// The program gives a number that depends on everything that is stored: a natural, a law, an
/// application, a pin below the root. With an argument it commits another.
const PROGRAM: &str = "(require \"std\")
(defun (twice x) (Mul 2 x))
(defun (use state args)
  (@ x (Unpin (Ix 0 state)))
  (@ big (Ix 1 state))
  (@ row [(Pin [3 twice 20]) (Add 17 (Bex 200)) \"text\"])
  (If (Sz args) (Seq (commit (use row)) 1)
    (Mod (Add (Ix 0 x) (Add ((Ix 1 x) (Ix 2 x)) (Add big (Sz (Ix 2 state))))) 251)))
(define main (use [(Pin [2 (Add 3) 20]) (Add 9 (Bex 100)) 0]))
";

/// Bytes of a page.
const PAGE: usize = 4096;
/// Threads that change bytes, each of its own copies.
const THREADS: usize = 3;

/// An image in two forms.
struct Image {
    /// What runs.
    whole: Vec<u8>,
    /// Where its region starts.
    region: usize,
    /// The same region behind the smallest executable, for the commands, which read all of it.
    small: Vec<u8>,
}

/// An image with two generations.
fn image() -> Image {
    let dir = scratch_dir("flips");
    fs::write(dir.join("p.wisp"), PROGRAM).expect("a scratch file");
    let built = Plan::new(["build", "p.wisp", "-o", "p"]).dir(&dir).run();
    assert_eq!(built.end, End::Status(0), "{}", built.describe());
    let committed = Plan::new(["commit"]).program(dir.join("p")).run();
    assert_eq!(committed.end, End::Status(1), "{}", committed.describe());
    let whole = fs::read(dir.join("p")).expect("an image");
    let region = plan::os::image::region_in(&whole).expect("an image") as usize;
    let mut small = smallest_elf();
    small.resize(PAGE, 0);
    small.extend_from_slice(&whole[region..]);
    Image {
        whole,
        region,
        small,
    }
}

/// What a use prints, on both streams, and how it ends; `None` if the kernel does not execute it.
type Used = Option<(String, End)>;

/// A directory with copies of both forms of an image.
struct Copies {
    dir: PathBuf,
}

impl Copies {
    fn new(image: &Image) -> Copies {
        let dir = scratch_dir("flips-copy");
        let copies = Copies { dir };
        write_program(&copies.dir.join("p"), &image.whole);
        fs::write(copies.dir.join("r"), &image.small).expect("space");
        copies
    }

    /// Writes a byte.
    fn put(&self, name: &str, at: usize, byte: u8) {
        let _alone = SPAWNING.write();
        let file = loop {
            match File::options().write(true).open(self.dir.join(name)) {
                // Who looks at the processes of the system keeps the memory of one a little longer.
                Err(why) if why.kind() == ErrorKind::ExecutableFileBusy => thread::yield_now(),
                file => break file.expect("a copy"),
            }
        };
        file.write_all_at(&[byte], at as u64).expect("space");
    }

    /// One of the uses of an image; `name` is the file for the commands. A run may be `bounded`.
    fn used(&self, name: &str, number: usize, bounded: bool) -> Used {
        let command = |args: &[&str]| {
            let mut command = Command::new(binary());
            command.args(args);
            command
        };
        let mut command = match number {
            0 => command(&["image", "scrub", name]),
            INFO => command(&["image", "info", name]),
            EXPORT => command(&["image", "export", name, "-o", "seed"]),
            // Where the kernel reads something else, anything may follow, sleep without end included.
            _ if bounded => {
                let mut command = Command::new("timeout");
                command
                    .args(["--signal=KILL", "0.5"])
                    .arg(self.dir.join("p"));
                command
            }
            _ => Command::new(self.dir.join("p")),
        };
        command.env_clear().env("PLAN_READONLY", "1");
        if number == VERIFIED {
            command.env("PLAN_VERIFY", "1");
        }
        let mut used = self.run(command);
        // What was written is part of what is said.
        if let (EXPORT, Some((text, _))) = (number, &mut used)
            && let Ok(seed) = fs::read(self.dir.join("seed"))
        {
            text.push_str(&format!("{seed:?}"));
            fs::remove_file(self.dir.join("seed")).expect("ours");
        }
        used
    }

    fn run(&self, mut command: Command) -> Used {
        let (mut output, input) = pipe().expect("a pipe");
        command.current_dir(&self.dir).stdin(Stdio::null());
        command.stdout(input.try_clone().expect("a descriptor"));
        command.stderr(input);
        let child = spawn(&mut command);
        drop(command);
        let mut child = match child {
            Ok(child) => child,
            Err(why) if why.kind() == ErrorKind::ExecutableFileBusy => panic!("{why}"),
            Err(_) => return None,
        };
        limit_processor_time(&child);
        let mut said = Vec::new();
        output.read_to_end(&mut said).expect("readable");
        let status = child.wait().expect("ours");
        let end = match status.code() {
            Some(code) => End::Status(code),
            None => End::Signal(status.signal().unwrap_or(0)),
        };
        Some((String::from_utf8_lossy(&said).into_owned(), end))
    }
}

/// Ends a process by SIGXCPU when it has computed for a second, if it does so long. To be asked for by
/// the new process itself, it would have to be made by a fork, which takes twice the time.
fn limit_processor_time(child: &Child) {
    let limit = Rlimit {
        current: Some(1),
        maximum: Some(2),
    };
    // One that has ended needs none.
    let _ = prlimit(Some(Pid::from_child(child)), Resource::Cpu, limit);
}

/// Uses: the commands, then the runs.
const USES: usize = 5;
/// The command that shows what there is, if need be of the generation before.
const INFO: usize = 1;
/// The command that writes a file.
const EXPORT: usize = 2;
/// The run that verifies.
const VERIFIED: usize = 3;

/// By SIGXCPU: the limit of processor time.
const ENDLESS: End = End::Signal(24);

/// What the uses of the sound image give.
struct Sound {
    newest: Vec<Used>,
    /// The value of the generation before.
    before: End,
}

/// `name` is the file for the commands.
fn sound(image: &Image, copies: &Copies, name: &str) -> Sound {
    let newest: Vec<Used> = (0..USES)
        .map(|number| copies.used(name, number, false))
        .collect();
    for (text, end) in newest.iter().flatten() {
        assert!(
            !matches!(end, End::Signal(_) | End::Status(3 | 4)),
            "{text}"
        );
    }
    let well = newest[USES - 1].as_ref().expect("a run").1;
    // Without the newest superblock, in the first or the second slot, the one before is taken, with a
    // warning. There is one without the older superblock, too: it could have been a newer one.
    let older = (0..2).map(|slot| {
        let at = image.region + slot * PAGE;
        copies.put("p", at, image.whole[at] ^ 1);
        let used = copies.used("r", USES - 1, false);
        copies.put("p", at, image.whole[at]);
        used.filter(|(text, end)| text.contains("warning: ") && *end != well)
    });
    let (_, before) = older.flatten().next().expect("a generation before");
    Sound { newest, before }
}

/// What matters of it. Whether it was settled is a note without which the next start takes longer; how
/// long the executable part is, and what it is called, stands there and nowhere else.
fn said(text: &str) -> String {
    let text = text.replace("settled:     no", "settled:     yes");
    let own = ["executable:", "runtime:"];
    let lines = text.lines();
    lines
        .filter(|line| !own.iter().any(|key| line.starts_with(key)))
        .collect()
}

/// What a use of a changed image comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// As of the sound image.
    Same,
    /// It is refused, or the generation before taken with a warning, or what is wrong is shown.
    Reported,
    /// Something else, where that cannot be known.
    Other,
    /// It goes on for ever, likewise.
    Endless,
    /// What must not be.
    Wrong,
}

/// `read_by_kernel`: of an image that begins otherwise.
fn judge(number: usize, got: &Used, sound: &Sound, read_by_kernel: bool) -> Verdict {
    let (Some((text, end)), Some((right, well))) = (got, &sound.newest[number]) else {
        return if read_by_kernel {
            Verdict::Reported
        } else {
            Verdict::Wrong
        };
    };
    // A fault of memory is known as one of damage, and not taken for a bug.
    let ended = number > VERIFIED && !matches!(end, End::Signal(_) | End::Status(70));
    let ended = ended || number >= VERIFIED && read_by_kernel;
    let refused = matches!(end, End::Status(3 | 4)) && text.contains("plan: image");
    let fell_back = text.contains("warning: ") && (*end == sound.before || end == well);
    let shown = number == INFO && text.contains("skipped:");
    if (said(text), end) == (said(right), well) {
        Verdict::Same
    } else if refused || fell_back || shown {
        Verdict::Reported
    } else if number > VERIFIED && *end == ENDLESS {
        Verdict::Endless
    } else if ended {
        Verdict::Other
    } else {
        Verdict::Wrong
    }
}

/// A byte to change: in the region, or in the executable part of the whole image.
#[derive(Clone, Copy, Debug)]
enum Place {
    Region(usize),
    Executable(usize),
}

/// Changes bytes of the copies until all were; what came of it.
fn flip(
    image: &Image,
    copies: &Copies,
    places: &[Place],
    next: &AtomicUsize,
    sound: &[Sound; 2],
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    while let Some(place) = places.get(next.fetch_add(1, Relaxed)) {
        let (file, sound, at) = match *place {
            Place::Region(at) => ("r", &sound[0], image.region + at),
            Place::Executable(at) => ("p", &sound[1], at),
        };
        let mask = 1 + (at * 167 % 255) as u8;
        let put = |mask: u8| {
            copies.put("p", at, image.whole[at] ^ mask);
            if let Place::Region(at) = *place {
                copies.put("r", PAGE + at, image.small[PAGE + at] ^ mask);
            }
        };
        put(mask);
        for number in 0..USES {
            let read_by_kernel = matches!(place, Place::Executable(at) if *at < FIRST_CODE);
            let got = copies.used(file, number, read_by_kernel);
            let verdict = judge(number, &got, sound, read_by_kernel);
            assert!(
                verdict != Verdict::Wrong,
                "use {number}, {place:?} changed by {mask:#x}: {got:?}"
            );
            verdicts.push(verdict);
        }
        put(0);
    }
    verdicts
}

/// Behind the program headers.
const FIRST_CODE: usize = 64 + 4 * 56;

/// The bytes of the executable part that say where everything is.
fn headers(image: &Image) -> Vec<Place> {
    let elf = &image.whole[..image.region];
    let magic = b"\x89PLAN image\r\n\x1a\n\0";
    let found = elf.windows(magic.len()).position(|w| w == magic);
    let marker = found.expect("a marker");
    // Behind the magic lie the place of the region and the name of the runtime, which `info` shows.
    let marker = marker..marker + magic.len() + 8;
    let sections = u64::from_le_bytes(*elf[40..].first_chunk().expect("a header")) as usize;
    let sections = sections..sections + usize::from(elf[58]) * usize::from(elf[60]);
    let parts = [0..FIRST_CODE, marker, sections];
    parts.into_iter().flatten().map(Place::Executable).collect()
}

/// Changes these bytes.
fn check(what: &str, places: impl FnOnce(&Image) -> Vec<Place>) {
    let image = image();
    let copies: Vec<Copies> = (0..THREADS).map(|_| Copies::new(&image)).collect();
    let sound = ["r", "p"].map(|name| sound(&image, &copies[0], name));
    let (places, next, begin) = (places(&image), AtomicUsize::new(0), Instant::now());
    let verdicts = thread::scope(|scope| {
        let (image, places, next, sound) = (&image, &places, &next, &sound);
        let work = |copies| scope.spawn(move || flip(image, copies, places, next, sound));
        let threads: Vec<_> = copies.iter().map(work).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        let verdicts = ended.flat_map(|found| found.expect("no panic"));
        verdicts.collect::<Vec<_>>()
    });
    for copies in &copies {
        let now = fs::read(copies.dir.join("p")).expect("a copy");
        assert!(now == image.whole, "written");
    }
    let count = |which| verdicts.iter().filter(|verdict| **verdict == which).count();
    let (reported, endless) = (count(Verdict::Reported), count(Verdict::Endless));
    eprintln!(
        "{} bytes of {what}, {:?}: {} uses as before, {reported} reports, {} unnoticed, {endless} endless",
        places.len(),
        begin.elapsed(),
        count(Verdict::Same),
        count(Verdict::Other),
    );
    assert!(reported >= places.len() / 16 && endless <= places.len() / 500);
}

#[test]
fn a_changed_byte_of_the_region_is_reported_or_harmless() {
    check("the region", |image| {
        let region = image.whole.len() - image.region;
        (0..region).map(Place::Region).collect()
    });
}

#[test]
fn a_changed_byte_of_the_headers_is_reported_or_harmless() {
    check("the executable part", headers);
}
