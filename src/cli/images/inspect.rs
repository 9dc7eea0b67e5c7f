//! `image info`, `image scrub`, `image collect`: reports about an image and its free space.
//!
//! Invariants:
//! - `info` and `scrub` write nothing and need no permission to;
//! - what is damaged is listed, and gives status 4 in all three;
//! - `info` says first what it knows at once, whatever the size of the image.

use super::report::Report;
use super::{Image, export, refuse, unusable};
use crate::cli::args::{Form, Task};
use crate::cli::message::Shown;
use crate::cli::{STATUS_IMAGE, STATUS_OK};
use crate::heap::store::format::{Extent, PAGE, VERSION};
use crate::heap::store::{Error, walk};
use crate::os::env::Args;
use crate::os::image::build_in;
use crate::value::WORD;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Does it; returns the exit status.
pub fn perform(args: &Args, task: Task, image: Image<'_>, form: Form) -> i32 {
    let about = image.about;
    let done = match task {
        Task::Collect => collect(image, form.json),
        Task::Info => info(args, image, form),
        _ => scrub(image, form.json),
    };
    done.unwrap_or_else(|error| unusable(about, error))
}

/// Bytes of this many pages.
fn bytes(pages: u64) -> u64 {
    pages * PAGE as u64
}

fn count(list: &[Extent]) -> u64 {
    bytes(list.iter().map(|extent| extent.pages).sum())
}

/// Says what is there.
fn info(args: &Args, mut image: Image<'_>, form: Form) -> Result<i32, Error> {
    let mut report = Report::new(form.json);
    describe(&image, &mut report);
    if form.quick {
        return Ok(report.end(STATUS_OK));
    }
    report.show();
    let (about, found) = (image.about, image.mounted.store.scrub()?);
    report.number("pins", found.pins, "");
    report.number("stored", found.words * WORD as u64, "bytes");
    let largest = found.largest.iter();
    let largest = largest.map(|(words, path)| (words * WORD as u64, path.to_string()));
    report.list("largest", "bytes", &largest.collect::<Vec<_>>());
    list_damage(&found, &mut report);
    if found.total > 0 {
        return Ok(damaged(about, &found, report));
    }
    // Last, because the machine takes the store.
    Ok(match export::shown(args, about, image.mounted.store) {
        Ok(value) => {
            report.text("value", &value);
            report.end(STATUS_OK)
        }
        Err(status) => report.end(status).max(status),
    })
}

/// Says what is wrong, and without `json` nothing else.
fn scrub(mut image: Image<'_>, json: bool) -> Result<i32, Error> {
    let found = image.mounted.store.scrub()?;
    if found.total == 0 && !json {
        return Ok(STATUS_OK);
    }
    let mut report = Report::new(json);
    if json {
        report.number("pins", found.pins, "");
    }
    list_damage(&found, &mut report);
    Ok(if found.total > 0 {
        damaged(image.about, &found, report)
    } else {
        report.end(STATUS_OK)
    })
}

fn list_damage(found: &walk::Report, report: &mut Report) {
    let damage = found.findings.iter();
    let damage = damage.map(|finding| (finding.sequence, finding.to_string()));
    report.list("damage", "sequence", &damage.collect::<Vec<_>>());
}

/// Ends a report that has listed damage.
fn damaged(about: (&str, &[u8]), found: &walk::Report, report: Report) -> i32 {
    let status = report.end(STATUS_IMAGE);
    let places = if found.total == 1 { "place" } else { "places" };
    let total = found.total;
    let why = format_args!("damaged in {total} {places} (use a copy, if there is one)");
    status.max(refuse(STATUS_IMAGE, about, why))
}

/// What is known of an image without reading its objects.
fn describe(image: &Image<'_>, report: &mut Report) {
    let (store, passed) = (&image.mounted.store, image.mounted.passed_over);
    let (superblock, space) = (store.superblock(), store.space());
    report.number("format", u64::from(VERSION), "");
    let unknown = *b"unknown\0\0\0\0\0\0\0\0\0";
    report.text("runtime", &name(&build_in(&image.elf).unwrap_or(unknown)));
    report.text("writer", &name(&superblock.build));
    report.number("sequence", superblock.sequence, "");
    report.optional("previous", store.previous().map(|other| other.sequence));
    let region = image.length - image.region;
    let (free, retired) = (count(&space.free), count(&space.retired));
    let live = bytes(space.end).saturating_sub(free + retired);
    for (key, number) in [
        ("file", image.length),
        ("executable", image.elf.len() as u64),
        ("region", region),
        ("live", live),
        ("free", free),
        ("retired", retired),
    ] {
        report.number(key, number, "bytes");
    }
    report.flag("settled", store.is_settled());
    if let Some(damage) = passed {
        report.text("skipped", &damage);
    }
    let kind = match superblock.root_address() {
        None => "natural",
        Some(_) => "pin",
    };
    report.text("root", &kind);
}

/// The name of a runtime, which ends with zeros; an image may hold any bytes there.
fn name(build: &[u8; 16]) -> String {
    let end = build.iter().position(|byte| *byte == 0);
    Shown(&build[..end.unwrap_or(build.len())]).to_string()
}

fn collect(mut image: Image<'_>, json: bool) -> Result<i32, Error> {
    let store = &mut image.mounted.store;
    let found = store.collect(&[])?;
    store.release();
    let mut report = Report::new(json);
    report.number("freed", bytes(found.found), "bytes");
    report.number("free", bytes(found.free), "bytes");
    report.number("live", bytes(found.live), "bytes");
    Ok(report.end(STATUS_OK))
}
