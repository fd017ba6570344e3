//! Output that crashes the observer, somewhere in a session. Must not: be in a release.
//!
//! What must hold: after some crashes that output is left alone, the program never notices, and its end is told.
//! Only programs with their assertions on can be poisoned.

use super::{Plan, Random, Report, place_by_place};
use crate::{Muster, Terminal, wait_for};

/// Crashes after which a session's output is left alone (TRUST G15).
const CRASHES_MAX: usize = 3;

/// One program after the other.
pub fn run(plan: &Plan) -> Report {
    place_by_place(plan, |muster, run, random, _| one(muster, run, random))
}

fn one(muster: &Muster, run: usize, mut random: Random) -> Result<(), String> {
    let (name, before, code) = (format!("p{run}"), random.below(5_000), random.below(256));
    // The word is made by the shell, as its own text is output too when somebody looks at the command.
    let program = format!("seq 1 {before}; printf 'poi''son\\n'; read line; echo got-$line; exit {code}");
    let mut command = muster.command("wrap");
    command.env("MUSTER_FAULT_POISON", "poison").args(["--name", &name, "sh", "-c", &program]);
    let mut terminal = Terminal::run(&command);
    terminal.await_text("poison");
    let quarantined = || muster.session(&name).filter(|s| s["claim"]["rule"] == "observer.quarantined");
    let session = wait_for("the output to be left alone", quarantined);
    let id = session["id"].as_str().unwrap_or_default().to_owned();
    terminal.write(b"words\n");
    terminal.await_text("got-words");
    let status = terminal.await_end();
    if status != code as i64 {
        return Err(format!("it ended with {status}, not {code}"));
    }
    wait_for("the end to be told", || {
        muster.session(&name).filter(|s| s["exit"]["code"].as_u64() == Some(code as u64))
    });
    let log = muster.home().join("state/sessions").join(id).join("observer.log");
    let crashes = std::fs::read_to_string(log).map_or(0, |log| log.matches("a test poisoned").count());
    if crashes <= CRASHES_MAX { Ok(()) } else { Err(format!("{crashes} crashes")) }
}
