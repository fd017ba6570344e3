//! A program that has changed its terminal in many ways ends, or is ended, or its holder or client is. Must not: judge
//! by what was written: real emulators are asked.
//!
//! What must hold: the terminal is as before, for its driver (lines, echo, signals) and for its emulator.

use std::time::Duration;

use rustix::process::Signal;

use super::{Plan, Random, Report, side_by_side};
use crate::emulator::Emulators;
use crate::{Muster, Terminal, signal, wait_for, within};

/// What a program may switch on.
const MODES: [&str; 15] = [
    "\\033[?1049h",
    "\\033[?47h",
    "\\033[?1000h",
    "\\033[?1002h",
    "\\033[?1003h\\033[?1006h",
    "\\033[?1004h",
    "\\033[?2004h",
    "\\033[?2026h",
    "\\033[?25l",
    "\\033[?1h",
    "\\033=",
    "\\033[>1u",
    "\\033[>4;2m",
    "\\033[22;0t\\033]0;mine\\007",
    "\\033[1;31m",
];

/// How long what follows an end may take.
const LATE: Duration = Duration::from_secs(10);

/// Who ends.
const VICTIMS: [&str; 5] = ["itself", "pid", "holder", "client", "all"];

/// One program after the other.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |number, runs| {
        let muster = plan.muster();
        let mut emulators = Emulators::start(muster.folder());
        let mut report = Report::default();
        for run in runs {
            report.count("runs");
            let name = format!("e{number}-{run}");
            match one(&muster, &name, *run, plan.random(*run), &mut emulators) {
                Ok(how) => report.count(how),
                Err(fault) => report.fault(format!("run {run}: {fault}")),
            }
        }
        report.counts.extend(emulators.asked().map(|(name, n)| (format!("asked {name}"), n)));
        report
    })
}

fn one(
    muster: &Muster,
    name: &str,
    run: usize,
    mut random: Random,
    emulators: &mut Emulators,
) -> Result<String, String> {
    let victim = VICTIMS[run % VICTIMS.len()];
    let modes: String = MODES.iter().filter(|_| random.below(2) == 0).copied().collect();
    // A child that a shell has just made, and that is not yet its own program, takes a signal as the shell does: SIGINT is
    // lost on it. So the shell waits itself.
    let end = if victim == "itself" { "exit 3" } else { "read forever" };
    let program = format!("stty raw -echo; printf '{modes}ready'; {end}");
    let mut command = muster.command("wrap");
    command.env("MUSTER_NO_SERVER", "1").args(["--name", name, "sh", "-c", &program]);
    let mut terminal = Terminal::run(&command);
    terminal.await_text("ready");
    let number = if victim == "itself" { 0 } else { 1 + random.below(31) as i32 };
    // The client and the holder only die of what nobody can catch; the program gets any signal.
    let (who, number) = match victim {
        "itself" => (Vec::new(), number),
        "pid" => (vec!["pid"], if lives_on(number) { 9 } else { number }),
        "all" => (vec!["pid", "holder"], 9),
        "client" => (vec!["client"], *random.of(&[&1, &2, &3, &9, &15])),
        other => (vec![other], 9),
    };
    if !who.is_empty() {
        let session = wait_for("the session", || muster.live(name));
        for who in who {
            let pid = if who == "client" { Some(terminal.pid()) } else { session[who].as_i64() };
            signal(pid.ok_or("no such process")?, Signal::from_named_raw(number).ok_or("no such signal")?);
        }
    }
    let how = format!("{victim}, signal {number}, {modes}");
    let mut left = Vec::new();
    // What is written after the client's own end comes in its own time.
    let ended = comes(|| terminal.ended().is_some());
    let cooked = comes(|| terminal.is_cooked());
    let as_before = comes(|| {
        left = emulators.changed(&terminal.output());
        left.is_empty()
    });
    if victim == "client" {
        let _ = muster.run("wrap", &["kill", "-s", "9", name]);
    }
    match (ended, cooked, as_before) {
        (true, true, true) => Ok(format!("ended: {victim}")),
        (false, ..) => Err(format!("{how}: `wrap` does not end; {:?}", muster.live(name))),
        (_, false, _) => Err(format!("{how}: the terminal's driver is as the program left it")),
        (.., false) => Err(format!("{how}: still {left:?}")),
    }
}

/// Signals that do not end a program which does nothing about them, that only stop it, or that whoever started this had
/// ignored, which programs inherit.
fn lives_on(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    matches!(number, 17..=23 | 28) || ignored & 1 << (number - 1) != 0
}

/// Whether a condition comes to hold.
fn comes(mut condition: impl FnMut() -> bool) -> bool {
    within(LATE, || condition().then_some(())).is_some()
}
