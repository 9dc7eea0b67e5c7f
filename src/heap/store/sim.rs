//! A file in memory that knows what a crash can leave of it.
//!
//! ```text
//!   log:  write write write sync │ write punch write sync │ …
//!         └── an epoch: units ──┘  any subset, each page torn at 512 bytes, over what was synced
//! ```
//!
//! Invariants:
//! - reads see everything written, as from the page cache; the log keeps everything in order;
//! - after a sync everything before it is durable, but what was written before a sync that failed
//!   never is;
//! - all choices come from a number: the same seed gives the same states.

use super::storage::{Parts, Storage};
use crate::os::Errno;
use std::collections::HashSet;

const SECTOR: usize = 512;
const PAGE: usize = 4096;

/// SplitMix64 (Steele, Lea and Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What happened to the file, and what the workload knows about it.
#[derive(Clone, Debug)]
pub enum Event {
    Write(u64, Vec<u8>),
    Truncate(u64),
    Punch(u64, u64),
    Sync,
    FailedSync,
    /// A commit of the value with this digest begins.
    Begin(u64),
    /// It was acknowledged.
    Ack(u64),
    /// A new process mounted this value, without a loss of power before.
    Restart(u64),
}

/// What goes wrong at a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Fail(Errno),
    /// One byte less than half is transferred.
    Short,
    /// The process dies, perhaps in the middle of a write.
    Die,
}

#[derive(Default)]
pub struct Sim {
    pub bytes: Vec<u8>,
    pub log: Vec<Event>,
    /// Calls so far.
    pub calls: u64,
    /// At which call what goes wrong, and whether at all later ones of its kind too.
    pub fault: Option<(u64, Fault)>,
    pub lasting: bool,
    pub dead: bool,
    /// Keep no log, for long runs without crashes.
    pub quiet: bool,
    /// Whether a fault has happened.
    pub hit: bool,
    pub syncs: u64,
    pub writes: u64,
    /// Ranges that were asked for ahead.
    pub expected: u64,
}

impl Sim {
    pub fn new(bytes: Vec<u8>) -> Sim {
        Sim {
            bytes,
            ..Sim::default()
        }
    }

    pub fn mark(&mut self, event: Event) {
        self.log.push(event);
    }

    /// The fault due at this call, if any.
    fn fault(&mut self) -> Option<Fault> {
        self.calls += 1;
        if self.dead {
            return Some(Fault::Fail(Errno::EIO));
        }
        let (at, fault) = self.fault?;
        let due = self.calls == at || self.lasting && self.calls > at;
        self.hit |= due;
        due.then_some(fault)
    }

    fn refuse(&mut self) -> Result<(), Errno> {
        match self.fault() {
            Some(Fault::Fail(why)) => Err(why),
            Some(Fault::Die) => {
                self.dead = true;
                Err(Errno::EIO)
            }
            Some(Fault::Short) | None => Ok(()),
        }
    }

    fn apply_write(&mut self, offset: u64, bytes: &[u8]) {
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[start..end].copy_from_slice(bytes);
        if !self.quiet {
            self.log.push(Event::Write(offset, bytes.to_vec()));
        }
    }
}

impl Storage for &mut Sim {
    fn size(&mut self) -> Result<u64, Errno> {
        self.refuse()?;
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let most = match self.fault() {
            Some(Fault::Fail(why)) => return Err(why),
            Some(Fault::Die) => {
                self.dead = true;
                return Err(Errno::EIO);
            }
            Some(Fault::Short) => buf.len().div_ceil(2),
            None => buf.len(),
        };
        let start = (offset as usize).min(self.bytes.len());
        let count = most.min(self.bytes.len() - start);
        buf[..count].copy_from_slice(&self.bytes[start..start + count]);
        Ok(count)
    }

    fn write_at(&mut self, offset: u64, parts: &Parts) -> Result<usize, Errno> {
        let bytes = &parts.concat()[..];
        self.writes += 1;
        let count = match self.fault() {
            Some(Fault::Fail(why)) => return Err(why),
            Some(Fault::Die) => {
                self.dead = true;
                let part = bytes.len() / 2 / SECTOR * SECTOR;
                self.apply_write(offset, &bytes[..part]);
                return Err(Errno::EIO);
            }
            Some(Fault::Short) => bytes.len().div_ceil(2),
            None => bytes.len(),
        };
        self.apply_write(offset, &bytes[..count]);
        Ok(count)
    }

    fn truncate(&mut self, len: u64) -> Result<(), Errno> {
        self.refuse()?;
        self.bytes.resize(len as usize, 0);
        self.log.push(Event::Truncate(len));
        Ok(())
    }

    fn punch(&mut self, offset: u64, len: u64) -> Result<(), Errno> {
        self.refuse()?;
        let end = (offset + len).min(self.bytes.len() as u64) as usize;
        if (offset as usize) < end {
            self.bytes[offset as usize..end].fill(0);
        }
        self.log.push(Event::Punch(offset, len));
        Ok(())
    }

    fn expect(&mut self, _: u64, _: u64) {
        self.expected += 1;
    }

    fn sync(&mut self) -> Result<(), Errno> {
        self.syncs += 1;
        let result = self.refuse();
        match result {
            Ok(()) => self.log.push(Event::Sync),
            Err(Errno::EINTR) => {}
            // Who dies while waiting changes nothing.
            Err(_) if self.dead => {}
            Err(_) => self.log.push(Event::FailedSync),
        }
        result
    }
}

/// Part of a change that reaches the disk by itself.
#[derive(Clone, Debug)]
enum Unit {
    /// Up to a page of bytes that lie in one page of the file.
    Bytes(u64, Vec<u8>),
    /// A page of zeros where there is a file.
    Hole(u64, usize),
    Length(u64),
}

impl Unit {
    fn page(&self) -> Option<u64> {
        match self {
            Unit::Bytes(at, _) | Unit::Hole(at, _) => Some(at / PAGE as u64),
            Unit::Length(_) => None,
        }
    }
}

fn units(event: &Event, out: &mut Vec<(Unit, bool)>) {
    let pieces = |at: u64, len: usize| {
        let mut pieces = Vec::new();
        let (mut from, end) = (at, at + len as u64);
        while from < end {
            let next = ((from / PAGE as u64 + 1) * PAGE as u64).min(end);
            pieces.push((from, (from - at) as usize, (next - from) as usize));
            from = next;
        }
        pieces
    };
    match event {
        Event::Write(at, bytes) => {
            for (from, start, len) in pieces(*at, bytes.len()) {
                out.push((Unit::Bytes(from, bytes[start..start + len].to_vec()), false));
            }
        }
        Event::Punch(at, len) => {
            for (from, _, len) in pieces(*at, *len as usize) {
                out.push((Unit::Hole(from, len), false));
            }
        }
        Event::Truncate(len) => out.push((Unit::Length(*len), false)),
        _ => {}
    }
}

/// An image to which units are applied and from which they are taken again.
#[derive(Default)]
struct Image {
    bytes: Vec<u8>,
    undo: Vec<(usize, Vec<u8>, usize)>,
}

impl Image {
    /// Applies the sectors of a unit that `mask` has.
    fn apply(&mut self, unit: &Unit, mask: u8) {
        if mask == 0 {
            return;
        }
        let before = self.bytes.len();
        let (at, len) = match unit {
            Unit::Length(len) => {
                let len = *len as usize;
                let old = self
                    .bytes
                    .get(len..)
                    .map(<[u8]>::to_vec)
                    .unwrap_or_default();
                self.undo.push((len, old, before));
                self.bytes.resize(len, 0);
                return;
            }
            Unit::Bytes(at, bytes) => {
                let end = *at as usize + bytes.len();
                self.bytes.resize(end.max(before), 0);
                (*at as usize, bytes.len())
            }
            Unit::Hole(at, len) => {
                let start = (*at as usize).min(before);
                (start, (*len).min(before - start))
            }
        };
        self.undo
            .push((at, self.bytes[at..at + len].to_vec(), before));
        for i in 0..len.div_ceil(SECTOR) {
            if mask >> (i % 8) & 1 == 1 {
                let (from, to) = (i * SECTOR, ((i + 1) * SECTOR).min(len));
                match unit {
                    Unit::Bytes(_, bytes) => {
                        self.bytes[at + from..at + to].copy_from_slice(&bytes[from..to]);
                    }
                    _ => self.bytes[at + from..at + to].fill(0),
                }
            }
        }
    }

    fn take_back(&mut self) {
        while let Some((at, old, len)) = self.undo.pop() {
            if self.bytes.len() < at + old.len() {
                self.bytes.resize(at + old.len(), 0);
            }
            self.bytes[at..at + old.len()].copy_from_slice(&old);
            self.bytes.resize(len, 0);
        }
    }
}

/// How many states of each epoch to look at.
#[derive(Clone, Copy)]
pub struct Effort {
    /// All subsets up to this many units.
    pub subsets: usize,
    /// Random states.
    pub random: usize,
}

/// Goes through a log and hands states of the disk after a crash to a judge, each with the digests
/// of which it must show one.
pub struct Crashes<'a> {
    image: Image,
    pending: Vec<(Unit, bool)>,
    acked: Vec<u64>,
    in_flight: Option<u64>,
    restarted: Option<u64>,
    effort: Effort,
    random: Random,
    /// States seen.
    pub states: u64,
    judge: Judge<'a>,
}

/// Says whether a disk shows one of these digests; leaves it as it was.
type Judge<'a> = &'a mut dyn FnMut(&mut Vec<u8>, &[u64]) -> Result<(), String>;

impl<'a> Crashes<'a> {
    pub fn new(start: Vec<u8>, acked: &[u64], effort: Effort, seed: u64, judge: Judge<'a>) -> Self {
        Crashes {
            image: Image {
                bytes: start,
                undo: Vec::new(),
            },
            pending: Vec::new(),
            acked: acked.to_vec(),
            in_flight: None,
            restarted: None,
            effort,
            random: Random(seed),
            states: 0,
            judge,
        }
    }

    /// Looks at the crash states of a whole log.
    pub fn run(&mut self, log: &[Event]) -> Result<(), String> {
        for (i, event) in log.iter().enumerate() {
            let looked = match event {
                Event::Sync => self.look().map(|()| self.sync()),
                Event::FailedSync => {
                    self.pending
                        .iter_mut()
                        .for_each(|(_, doomed)| *doomed = true);
                    Ok(())
                }
                Event::Begin(digest) => {
                    self.in_flight = Some(*digest);
                    Ok(())
                }
                Event::Ack(digest) => {
                    self.acked = vec![*digest];
                    self.in_flight = None;
                    self.restarted = None;
                    Ok(())
                }
                Event::Restart(digest) => {
                    self.acked.push(*digest);
                    self.in_flight = None;
                    self.restarted = Some(*digest);
                    Ok(())
                }
                event => {
                    units(event, &mut self.pending);
                    Ok(())
                }
            };
            looked.map_err(|why| {
                let from = i.saturating_sub(12);
                let before: Vec<String> = log[from..=i].iter().map(brief).collect();
                format!("event {i}: {why}\n{}", before.join("\n"))
            })?;
        }
        self.look()
    }

    fn sync(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        for (unit, doomed) in pending {
            if doomed {
                self.pending.push((unit, true));
                continue;
            }
            self.image.apply(&unit, 0xFF);
            let page = unit.page();
            self.pending
                .retain(|(old, _)| page.is_none() || old.page() != page);
        }
        self.image.undo.clear();
        if let Some(digest) = self.restarted {
            self.acked = vec![digest];
        }
    }

    /// Looks at states of the epoch that ends here.
    fn look(&mut self) -> Result<(), String> {
        let n = self.pending.len();
        let mut seen = HashSet::new();
        let mut allowed = self.acked.clone();
        allowed.extend(self.in_flight);
        if allowed.is_empty() {
            return Ok(());
        }
        if n <= self.effort.subsets {
            for set in 0..1u32 << n {
                let masks = (0..n).map(|i| if set >> i & 1 == 1 { 0xFF } else { 0 });
                self.state(masks.collect(), &allowed, &mut seen)?;
            }
        }
        for i in 0..=n {
            let before = |j: usize| prefix(j, i);
            self.state((0..n).map(before).collect(), &allowed, &mut seen)?;
            let but = |j: usize| if j == i { 0 } else { 0xFF };
            self.state((0..n).map(but).collect(), &allowed, &mut seen)?;
            for cut in (1..8).filter(|_| i < n) {
                for others in [prefix as fn(usize, usize) -> u8, but_one] {
                    let masks = (0..n).map(|j| match j == i {
                        true => (1u8 << cut) - 1,
                        false => others(j, i),
                    });
                    self.state(masks.collect(), &allowed, &mut seen)?;
                }
            }
        }
        for _ in 0..self.effort.random * usize::from(n > 0) {
            let random = &mut self.random;
            let masks = (0..n).map(|_| match random.below(5) {
                0 => 0,
                1 => random.next() as u8,
                _ => 0xFF,
            });
            let masks = masks.collect();
            self.state(masks, &allowed, &mut seen)?;
        }
        Ok(())
    }

    fn state(
        &mut self,
        masks: Vec<u8>,
        allowed: &[u64],
        seen: &mut HashSet<Vec<u8>>,
    ) -> Result<(), String> {
        if seen.contains(&masks) {
            return Ok(());
        }
        for ((unit, _), mask) in self.pending.iter().zip(&masks) {
            self.image.apply(unit, *mask);
        }
        self.states += 1;
        let verdict = (self.judge)(&mut self.image.bytes, allowed);
        self.image.take_back();
        let result = verdict.map_err(|why| format!("sectors {masks:02x?}: {why}"));
        seen.insert(masks);
        result
    }
}

fn prefix(j: usize, i: usize) -> u8 {
    if j < i { 0xFF } else { 0 }
}

fn but_one(_: usize, _: usize) -> u8 {
    0xFF
}

/// An event on one line.
fn brief(event: &Event) -> String {
    match event {
        Event::Write(at, bytes) => format!("  write {} bytes at {at:#x}", bytes.len()),
        other => format!("  {other:x?}"),
    }
}
