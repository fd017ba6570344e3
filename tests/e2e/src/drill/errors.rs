//! The disk answers with errors (EIO) for a while, to one of those who write to it. Must not: break a disk.
//!
//! A tracer gives the error in place of the system call, to a process that runs already and goes on afterwards. What must
//! hold: the agent never notices, the server says what is wrong, nothing that it took is lost, no text is typed twice, and
//! its database is sound.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use super::disk::meanwhile;
use super::{Plan, Random, Report, Slot, by_one_agent, side_by_side};
use crate::{Muster, signal, wait_for};

/// What fails.
const CALLS: &str = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate";

/// Each run has errors once.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |number, runs| {
        let muster = plan.muster();
        by_one_agent(plan, &muster, (number, runs), |slot, run, random, report| {
            meanwhile(&muster, slot, run, random, report, |random, report| {
                begin(&muster, slot, random, report)
            })
        })
    })
}

/// Errors for one of those who write.
fn begin(muster: &Muster, slot: &Slot<'_>, random: &mut Random, report: &mut Report) -> Option<Errors> {
    let state = muster.home().join("state");
    let database = || ["muster.db", "muster.db-wal"].map(|name| state.join(name)).to_vec();
    let (who, pid, files) = match random.below(3) {
        0 => ("the server's database", muster.serving(), database()),
        1 => ("the recording", Some(slot.holder), slot.recording()),
        _ => ("the observer's journal", slot.observer(), vec![slot.journal()]),
    };
    let errors = pid.and_then(|pid| Errors::begin(pid, &files));
    match errors {
        Some(_) => report.count(format!("errors for {who}")),
        None => report.count("not tried: there is no tracer, or it may not trace"),
    }
    errors
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
        let mut errors = Self(command.spawn().ok()?);
        let traced = || {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|pid| pid.trim() != "0"))
        };
        let began = wait_for("the tracer", || match errors.0.try_wait() {
            Ok(None) => traced().then_some(true),
            Ok(Some(_)) | Err(_) => Some(false),
        });
        began.then_some(errors)
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            // It lets go of the process first.
            signal(i64::from(self.0.id()), Signal::TERM);
            let _ = self.0.wait();
        }
    }
}
