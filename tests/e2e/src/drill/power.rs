//! The power goes at a random moment of a server's work: what its disk holds then is all that is left. Must not: ask the
//! machine's own disk.
//!
//! The place lies on a file system in a file. What was written there but not synchronised is in the machine's memory, and
//! not in the file: a copy of the file is what a power cut would leave. On it another server starts, as after a restart of
//! the machine. What must hold: all that was acknowledged is there, what was told as completed still is, and the database is
//! sound. Only root can mount it. A disk that says it has written and has not is not drilled.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::disk::Small;
use super::verdict::settle;
use super::{Plan, Random, Report, Slot, await_answer, by_one_agent, side_by_side, sound, word};
use crate::{Muster, signal};

/// The file system's size.
const MEGABYTES: u64 = 32;

/// How often the file is read until it stands still.
const READS: usize = 50;

/// Each run cuts the power once, from a server that goes on and so is cut again.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |number, runs| {
        let muster = plan.muster();
        let (image, home) = (muster.folder().join("disk"), muster.home());
        let Some(_disk) = make(&image).and_then(|()| mount(&image, &home)) else {
            return Report::not_tried("a file system in a file can only be mounted by root");
        };
        by_one_agent(plan, &muster, (number, runs), |slot, run, random, report| {
            one(plan, &muster, &image, slot, (run, random), report)
        })
    })
}

fn one(
    plan: &Plan,
    muster: &Muster,
    image: &Path,
    slot: &Slot<'_>,
    (run, mut random): (usize, Random),
    report: &mut Report,
) -> Result<(), String> {
    let mut taken = Vec::new();
    for n in 0..1 + random.below(6) {
        let text = format!("quick run {run}-{n}");
        let asked = json!({ "text": text, "target": slot.name(), "attempts": 1, "timeout_ms": 30_000 });
        taken.push((slot.send(&asked), text));
        std::thread::sleep(random.moment(Duration::from_millis(200)));
    }
    let told: Vec<Option<Value>> = taken.iter().map(|(id, _)| slot.prompt(*id)).collect();
    let server = muster.server();
    signal(server, Signal::STOP);
    let left = standing(image);
    signal(server, Signal::CONT);
    let left = left?;
    for (id, text) in &taken {
        settle(slot, *id, text, &mut Report::default())?;
    }
    slot.rested()?;
    report.count_all("prompts acknowledged before the cut", taken.len());
    after(&plan.muster(), &left, &taken, &told, report)
}

/// Starts a server on what is left, and compares what it knows with what was told before.
fn after(
    muster: &Muster,
    left: &[u8],
    taken: &[(i64, String)],
    told: &[Option<Value>],
    report: &mut Report,
) -> Result<(), String> {
    let image = muster.folder().join("left");
    std::fs::write(&image, left).map_err(|e| e.to_string())?;
    let home = muster.home();
    let Some(_disk) = mount(&image, &home) else {
        return Err("what is left cannot be mounted".to_owned());
    };
    let api = muster.api();
    for ((id, text), told) in taken.iter().zip(told) {
        let path = format!("/v1/prompts/{id}");
        let found = await_answer(muster, &api, |api| api.get(&path), |_| true).unwrap_or_default();
        if word(&found, "/prompt/asked/text") != text {
            return Err(format!("{text:?} was acknowledged as {id}, and there is only: {found}"));
        }
        let before = told.as_ref().map_or("?", state);
        if before == "completed" && state(&found) != before {
            return Err(format!("{text:?} was told as completed and is {}", state(&found)));
        }
        report.count(format!("{before} before, {} after", state(&found)));
    }
    sound(muster)
}

fn state(detail: &Value) -> &str {
    word(detail, "/prompt/state")
}

/// What a file that nobody writes to now holds: two reads that are the same.
fn standing(image: &Path) -> Result<Vec<u8>, String> {
    let read = || std::fs::read(image).map_err(|e| e.to_string());
    let mut before = read()?;
    for _ in 0..READS {
        let now = read()?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
    Err("the disk does not stand still".to_owned())
}

/// Makes a file system in a file.
fn make(image: &Path) -> Option<()> {
    std::fs::File::create(image).and_then(|file| file.set_len(MEGABYTES << 20)).ok()?;
    // Nothing is written later than it is asked for, so that a copy soon after stands still.
    let made = Command::new("mkfs.ext4").args(["-q", "-F", "-E", "lazy_itable_init=0"]).arg(image).output();
    made.is_ok_and(|out| out.status.success()).then_some(())
}

/// Mounts one. It writes by itself almost never: what reaches the file was synchronised.
fn mount<'p>(image: &Path, place: &'p Path) -> Option<Small<'p>> {
    Small::mounted(place, Command::new("mount").args(["-o", "loop,commit=900"]).arg(image))
}
