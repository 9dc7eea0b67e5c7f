//! Which pages the superblocks of a file reach, and a check that nothing ever touches them.
//!
//! Invariants:
//! - a generation counts as soon as its superblock is in its slot and all it reaches can be read;
//! - what is judged is each single call, in the order of the calls: that a crash may reorder them is
//!   for the crash states to show.

use super::super::format::{DATA, FIRST_PAGE, PAGE, Place, Slot, Superblock, page_of};
use super::super::mount::read_slots;
use super::super::read::Reader;
use super::super::sim::{Event, Sim};
use super::super::walk::{Step, Walk};
use super::super::*;
use super::crash::REGION;
use std::collections::HashSet;

/// The pages that a superblock reaches; `None` if they cannot all be read.
fn pages_of(sim: &mut Sim, superblock: &Superblock) -> Option<HashSet<u64>> {
    let mut reader = Reader::new(REGION, superblock.pages);
    let (mut walk, mut pages) = (Walk::default(), HashSet::new());
    let mut add = |address: u64, words: usize| {
        let end = (address + 8 * words.max(1) as u64).next_multiple_of(PAGE as u64);
        pages.extend(page_of(address)..page_of(end));
    };
    if superblock.map.address != 0 {
        let (_, header) = reader.head(&mut &mut *sim, superblock.map.address).ok()?;
        add(superblock.map.address, (header >> 14) as usize);
    }
    if let Some(address) = superblock.root_address() {
        let crc = superblock.root_crc;
        walk.start(Place { address, crc });
    }
    loop {
        match walk.step(&mut reader, &mut &mut *sim).ok()? {
            Step::Enter => add(walk.record.address, walk.record.payload().len()),
            Step::Wrong(_) => return None,
            Step::Leave(_) | Step::Seen => {}
            Step::Done => return Some(pages),
        }
    }
}

/// What must not be touched: pages, the slot of the newest generation, and the length of the file up
/// to the last page that a superblock counts.
fn reached(bytes: Vec<u8>) -> (HashSet<u64>, usize, u64) {
    let mut sim = Sim::new(bytes);
    let mut reader = Reader::new(REGION, 0);
    let slots = read_slots(&mut reader, &mut &mut sim, REGION).expect("no faults");
    let (mut pages, mut newest, mut end) = (HashSet::new(), (0, 0), 0);
    for (number, slot) in slots.iter().enumerate() {
        if let Slot::Valid(superblock, _) = slot
            && let Some(more) = pages_of(&mut sim, superblock)
        {
            pages.extend(more);
            end = end.max(superblock.pages);
            newest = newest.max((superblock.sequence, number));
        }
    }
    (pages, newest.1, end)
}

/// Whether the events, in their order, overwrite, punch and cut off nothing that a superblock in
/// either slot reaches, and never write to the slot of the newest generation.
pub fn untouched(start: &[u8], log: &[Event]) -> Result<(), String> {
    let mut sim = Sim::new(start.to_vec());
    sim.quiet = true;
    let (mut pages, mut newest, mut end) = reached(sim.bytes.clone());
    let data = REGION + DATA;
    for (i, event) in log.iter().enumerate() {
        let (at, len) = match event {
            Event::Write(at, bytes) => (*at, bytes.len() as u64),
            Event::Punch(at, len) => (*at, *len),
            Event::Truncate(len) => (*len, u64::MAX - len),
            _ => continue,
        };
        let touches = |page: &u64| {
            let from = data + page * PAGE as u64;
            from < at + len && at < from + PAGE as u64
        };
        if let Some(page) = pages.iter().find(|page| touches(page)) {
            return Err(format!("event {i} touches page {page}, which is in use"));
        }
        if matches!(event, Event::Truncate(len) if *len < data + end * PAGE as u64) {
            return Err(format!("event {i} cuts off counted pages"));
        }
        let slot = REGION + (newest * PAGE) as u64;
        if at < slot + PAGE as u64 && slot < at + len {
            return Err(format!(
                "event {i} touches the slot of the newest generation"
            ));
        }
        let mut file = &mut sim;
        let done = match event {
            Event::Write(at, bytes) => storage::write_all(&mut file, *at, bytes),
            Event::Punch(at, len) => file.punch(*at, *len),
            _ => file.truncate(at),
        };
        done.map_err(|why| format!("{why:?}"))?;
        if at < data + FIRST_PAGE * PAGE as u64 {
            (pages, newest, end) = reached(sim.bytes.clone());
        }
    }
    Ok(())
}
