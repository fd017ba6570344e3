//! The disk answers with errors (EIO) for a while, to one of those who write to it. Must not: break a disk.
//!
//! A tracer gives the error in place of the system call, to a process that runs already and goes on afterwards. What must
//! hold: the agent never notices, the server says what is wrong, nothing that it took is lost, no text is typed twice, and
//! its database is sound.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::verdict::settle;
use super::{Plan, Random, Report, Slot, side_by_side, sound};
use crate::{Muster, is_alive, signal, wait_for};

/// What fails.
const CALLS: &str = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate";

/// Each run has errors once.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |number, runs| {
        let mut report = Report::default();
        let muster = plan.muster();
        let mut slot = Slot::start(&muster, number, &[]);
        for run in runs {
            let came = one(&muster, &slot, *run, plan.random(*run), &mut report);
            if !report.ran(&muster, *run, came) {
                slot.end();
                slot.renew();
            }
        }
        slot.end();
        report
    })
}

fn one(
    muster: &Muster,
    slot: &Slot<'_>,
    run: usize,
    mut random: Random,
    report: &mut Report,
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
    let state = muster.home().join("state");
    let database = || ["muster.db", "muster.db-wal"].map(|name| state.join(name)).to_vec();
    let (who, pid, files) = match random.below(3) {
        0 => ("the server's database", muster.serving(), database()),
        1 => ("the recording", Some(slot.holder), slot.recording()),
        _ => ("the observer's journal", slot.observer(), vec![slot.journal()]),
    };
    let Some(errors) = pid.and_then(|pid| Errors::begin(pid, &files)) else {
        report.count("not tried: there is no tracer, or it may not trace");
        return settle(slot, taken[0].1, &format!("quick run {run}-0"), report);
    };
    report.count(format!("errors for {who}"));
    // What is refused was not taken; what was taken is done in the end.
    for n in 1..4 {
        match muster.api().post("/v1/prompts", &ask(n)) {
            Ok(prompt) => taken.push((n, prompt["id"].as_i64().unwrap_or_default())),
            Err(said) if said.contains("disk") => report.count("refused, as the disk has errors"),
            Err(said) => return Err(format!("a disk's error is told as: {said}")),
        }
        std::thread::sleep(random.moment(Duration::from_millis(300)));
    }
    drop(errors);
    for (n, id) in taken {
        settle(slot, id, &format!("quick run {run}-{n}"), report)?;
    }
    if !is_alive(agent) {
        return Err("the agent is gone".to_owned());
    }
    slot.rested()?;
    sound(muster)
}

/// A process for which some files have errors, until this is dropped.
struct Errors(Child);

impl Errors {
    /// Nothing where no tracer is, or where it may not.
    fn begin(pid: i64, files: &[PathBuf]) -> Option<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("inject={CALLS}:error=EIO"));
        for file in files {
            command.arg("-P").arg(file);
        }
        command.args(["-p", &pid.to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
        let mut tracer = command.spawn().ok()?;
        let traced = || {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|pid| pid.trim() != "0"))
        };
        let began = wait_for("the tracer", || match tracer.try_wait() {
            Ok(None) => traced().then_some(true),
            Ok(Some(_)) | Err(_) => Some(false),
        });
        began.then_some(Self(tracer))
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        // It lets go of the process first.
        signal(i64::from(self.0.id()), Signal::TERM);
        let _ = self.0.wait();
    }
}
