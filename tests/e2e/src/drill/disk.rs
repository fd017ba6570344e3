//! The disk fills up at a random moment of a session's work, and has room again some time later. Must not: be the
//! machine's own disk.
//!
//! What must hold: the agent never notices, the server says that it is full and works on when there is room, nothing
//! that it took is lost, and its database is sound. Only root can mount the small file system that this needs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::verdict::settle;
use super::{Plan, Random, Report, Slot, by_one_agent, side_by_side, sound};
use crate::{Muster, is_alive};

/// The file system's size.
const MEGABYTES: u32 = 24;

/// Each run fills it once.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |number, runs| {
        let muster = plan.muster();
        let home = muster.home();
        let Some(_small) = Small::mount(&home, MEGABYTES) else {
            return Report::not_tried("a small file system can only be mounted by root");
        };
        by_one_agent(plan, &muster, (number, runs), |slot, run, random, report| {
            meanwhile(&muster, slot, run, random, report, |random, _| {
                Some(Ballast::fill(muster.home().join("ballast"), random.below(3) * 8192))
            })
        })
    })
}

/// Prompts before something is wrong with the disk, and while it is: what `begin` gives lasts until it is dropped.
pub(super) fn meanwhile<F>(
    muster: &Muster,
    slot: &Slot<'_>,
    run: usize,
    mut random: Random,
    report: &mut Report,
    begin: impl FnOnce(&mut Random, &mut Report) -> Option<F>,
) -> Result<(), String> {
    let agent = muster.live(&slot.name()).and_then(|s| s["pid"].as_i64()).ok_or("there is no agent")?;
    let ask = |n: usize| {
        json!({
            "text": format!("quick run {run}-{n}"), "target": slot.name(), "attempts": 1,
            "accept_ms": 20_000, "timeout_ms": 30_000,
        })
    };
    let mut taken = vec![(0, slot.send(&ask(0)))];
    std::thread::sleep(random.moment(Duration::from_millis(300)));
    let wrong = begin(&mut random, report);
    // What is refused was not taken; what was taken is done in the end.
    for n in 1..4 {
        match muster.api().post("/v1/prompts", &ask(n)) {
            Ok(prompt) => taken.push((n, prompt["id"].as_i64().unwrap_or_default())),
            Err(said) if said.contains("disk") => report.count("refused, as the disk takes nothing"),
            Err(said) => return Err(format!("a bad disk is told as: {said}")),
        }
        std::thread::sleep(random.moment(Duration::from_millis(300)));
    }
    drop(wrong);
    for (n, id) in taken {
        settle(slot, id, &format!("quick run {run}-{n}"), report)?;
    }
    if !is_alive(agent) {
        return Err("the agent is gone".to_owned());
    }
    slot.rested()?;
    sound(muster)
}

/// A file that takes the room of a file system, until it is dropped.
struct Ballast(PathBuf);

impl Ballast {
    /// Leaves so many bytes.
    fn fill(path: PathBuf, left: usize) -> Self {
        fill(&path, left);
        Self(path)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Fills the file system up to so many bytes.
pub fn fill(ballast: &Path, left: usize) {
    use std::io::Write;
    let Ok(mut file) = std::fs::File::create(ballast) else { return };
    let block = [0; 4096];
    let mut written = 0usize;
    while file.write_all(&block).is_ok() {
        written += block.len();
    }
    let _ = file.set_len(written.saturating_sub(left) as u64);
}

/// A small file system.
pub struct Small<'p>(&'p Path);

impl<'p> Small<'p> {
    /// Makes a folder, and mounts it there; only root can.
    pub fn mount(path: &'p Path, megabytes: u32) -> Option<Self> {
        let size = format!("size={megabytes}m,mode=700");
        Self::mounted(path, Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]))
    }

    /// The same by another command, which is only to be told where.
    pub(super) fn mounted(path: &'p Path, mount: &mut Command) -> Option<Self> {
        std::fs::create_dir(path).ok()?;
        mount.arg(path).output().is_ok_and(|out| out.status.success()).then_some(Self(path))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        // Who still has files open there keeps them until the end.
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}
