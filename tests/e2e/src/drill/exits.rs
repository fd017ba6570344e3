//! Programs end in all the ways in which one can. Must not: be asked how they did.
//!
//! What must hold: `wrap` ends as the program did, at a terminal and at a pipe, and leaves no process behind.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::{Muster, Terminal, wait_for};

use super::{Plan, Random, Report, side_by_side};

/// Signals that end a program which does nothing about them.
const DEADLY: [i32; 23] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31];

/// One program after the other.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |_, runs| {
        let muster = plan.muster();
        let mut report = Report::default();
        for run in runs {
            report.count("runs");
            one(&muster, *run, plan.random(*run), &mut report);
        }
        wait_for("all processes' end", || muster.processes().is_empty().then_some(()));
        report
    })
}

fn one(muster: &Muster, run: usize, mut random: Random, report: &mut Report) {
    // All codes and signals in turn: a plan of 279 runs has each once.
    let which = run % (256 + DEADLY.len());
    let end = match DEADLY.get(which.wrapping_sub(256)) {
        None => format!("exit {which}"),
        Some(signal) => format!("kill -{signal} $$"),
    };
    // What it leaves behind has nothing to do with its end.
    let before = random.of(&["", "sleep 0.2 & ", "(sleep 0.2 &) ; ", "setsid sleep 0.2 & "]);
    let program = ["sh", "-c", &format!("{before}{end}")];
    // Whoever started this may have had signals ignored, which programs inherit: what a shell would report is found out.
    let bare = Command::new(program[0]).args(&program[1..]).stdin(Stdio::null()).status();
    let Ok(bare) = bare else { return report.fault("there is no shell") };
    let expected = i64::from(bare.code().or_else(|| Some(128 + bare.signal()?)).unwrap_or(-1));
    let mut command = muster.command("wrap");
    command.env("MUSTER_NO_SERVER", "1").args(program);
    let status = match random.below(2) {
        0 => Terminal::run(&command).await_end(),
        _ => i64::from(command.output().ok().and_then(|out| out.status.code()).unwrap_or(-1)),
    };
    report.count(if which < 256 { "codes" } else { "signals" });
    if status != expected {
        report.fault(format!("run {run}: {end:?} with {before:?} before it gave {status}, not {expected}"));
    }
}
