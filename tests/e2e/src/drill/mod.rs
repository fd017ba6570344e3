//! Drills: faults while prompts are delivered, many of them, judged by what the scripted agents received.
//!
//! The ordinary tests run a few, `bench drill` runs as many as are wanted. Must not: trust what the product says of
//! itself where an agent knows better.

pub mod dialog;
pub mod disk;
pub mod endings;
pub mod errors;
pub mod exits;
pub mod flow;
pub mod kill;
pub mod migrate;
pub mod pause;
pub mod points;
pub mod poison;
pub mod power;
pub mod same;
mod slot;
pub mod storm;
pub mod upgrade;
mod verdict;
pub mod viewers;

pub use slot::{Slot, settled};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Muster, api::Api};

/// How long a prompt may take to settle after a fault; the product's own limits in a drill are far shorter.
const SETTLE: Duration = Duration::from_secs(90);

/// How often something is looked at.
const LOOK: Duration = Duration::from_millis(3);

/// What is drilled.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Folder of the product's programs; `None`: they are built.
    pub bin: Option<PathBuf>,
    /// Prompts.
    pub runs: usize,
    /// What decides about moments.
    pub seed: u64,
    /// Sessions side by side.
    pub agents: usize,
}

impl Plan {
    /// What decides about one of its runs.
    fn random(&self, run: usize) -> Random {
        Random(self.seed ^ (run as u64).wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn muster(&self) -> Muster {
        self.bin.as_deref().map_or_else(Muster::new, Muster::of)
    }
}

/// What came of a drill: how often what happened, and what must not have.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How often.
    pub counts: BTreeMap<String, usize>,
    /// Each is a fault of the product.
    pub faults: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Counts something.
    pub fn count(&mut self, what: impl Into<String>) {
        self.count_all(what, 1);
    }

    /// Counts so many at once.
    fn count_all(&mut self, what: impl Into<String>, n: usize) {
        *self.counts.entry(what.into()).or_default() += n;
    }

    /// Of a drill that cannot be done here.
    fn not_tried(why: &str) -> Self {
        let mut report = Self::default();
        report.count(format!("not tried: {why}"));
        report
    }

    /// How often something was counted.
    pub fn get(&self, what: &str) -> usize {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Adds another to it.
    pub fn add(&mut self, other: Report) {
        for (what, n) in other.counts {
            self.count_all(what, n);
        }
        self.faults.extend(other.faults);
        self.took += other.took;
    }

    /// Notes a fault of the product.
    pub fn fault(&mut self, what: impl Into<String>) {
        self.faults.push(what.into());
    }

    /// Counts a run in a place, and notes what went wrong in it, with what was logged there; whether all went well.
    fn ran(&mut self, muster: &Muster, run: usize, came: Result<(), String>) -> bool {
        self.count("runs");
        let Err(fault) = came else { return true };
        muster.show_logs();
        self.fault(format!("run {run}: {fault}"));
        false
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, n) in &self.counts {
            writeln!(f, "{n:>7}  {what}")?;
        }
        let seconds = self.took.as_secs_f64();
        writeln!(f, "{:>7}  faults", self.faults.len())?;
        writeln!(f, "in {seconds:.0} s, {:.1} runs a second", self.get("runs") as f64 / seconds)?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "FAULT: {fault}"))
    }
}

/// Runs `one` for each session with its share of the runs, all at once, and adds up what they report.
fn side_by_side(plan: &Plan, one: impl Fn(usize, &[usize]) -> Report + Sync) -> Report {
    let begun = Instant::now();
    let agents = plan.agents.max(1);
    let mut all = Report::default();
    std::thread::scope(|scope| {
        let one = &one;
        let begin = |slot: usize| {
            let runs: Vec<usize> = (0..plan.runs).skip(slot).step_by(agents).collect();
            scope.spawn(move || one(slot, &runs))
        };
        let threads: Vec<_> = (0..agents).map(begin).collect();
        for thread in threads {
            all.add(thread.join().unwrap_or_else(|fault| panicked(&*fault)));
        }
    });
    all.took = begun.elapsed();
    all
}

/// The same where each share of the runs has a place of its own, and runs leave nothing for the next.
fn place_by_place(
    plan: &Plan,
    one: impl Fn(&Muster, usize, Random, &mut Report) -> Result<(), String> + Sync,
) -> Report {
    side_by_side(plan, |_, runs| {
        let muster = plan.muster();
        let mut report = Report::default();
        for run in runs {
            let came = one(&muster, *run, plan.random(*run), &mut report);
            report.ran(&muster, *run, came);
        }
        report
    })
}

/// Has one agent of a place do a share of the runs; after a run that went wrong there is another agent.
fn by_one_agent(
    plan: &Plan,
    muster: &Muster,
    (number, runs): (usize, &[usize]),
    one: impl Fn(&mut Slot<'_>, usize, Random, &mut Report) -> Result<(), String>,
) -> Report {
    let mut report = Report::default();
    let mut slot = Slot::start(muster, number, &[]);
    for run in runs {
        let came = one(&mut slot, *run, plan.random(*run), &mut report);
        if !report.ran(muster, *run, came) {
            slot.end();
            slot.renew();
        }
    }
    slot.end();
    report
}

/// What a drill waited for in vain is a fault as any other.
fn panicked(fault: &(dyn std::any::Any + Send)) -> Report {
    let said = fault.downcast_ref::<String>().cloned();
    let said = said.or_else(|| fault.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Report { faults: vec![said.unwrap_or_default()], ..Report::default() }
}

/// Reproducible numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// From 0 to 1.
    pub fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 up to and without `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.part() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// One of these.
    pub fn of<'a, T: ?Sized>(&mut self, these: &[&'a T]) -> &'a T {
        these[self.below(these.len())]
    }

    /// A time up to this one; as many fall between one and ten milliseconds as between ten and a hundred.
    pub fn moment(&mut self, longest: Duration) -> Duration {
        Duration::from_micros((longest.as_micros() as f64).powf(self.part()) as u64)
    }
}

/// Asks again until there is an answer that will do, for as long as things may take to settle. A server that is gone
/// is started.
fn await_answer(
    muster: &Muster,
    api: &Api,
    ask: impl Fn(&Api) -> Result<Value, String>,
    will_do: impl Fn(&Value) -> bool,
) -> Option<Value> {
    let until = Instant::now() + SETTLE;
    while Instant::now() < until {
        match ask(api) {
            Ok(answer) if will_do(&answer) => return Some(answer),
            Ok(_) => std::thread::sleep(LOOK),
            Err(_) => {
                let _ = muster.run("assigner", &["serve", "--detach"]);
            }
        }
    }
    None
}

/// Whether the database of a place is sound.
fn sound(muster: &Muster) -> Result<(), String> {
    let file = muster.home().join("state/muster.db");
    let look = || -> rusqlite::Result<(String, bool)> {
        let db = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.busy_timeout(SETTLE)?;
        let verdict = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        Ok((verdict, db.prepare("PRAGMA foreign_key_check")?.exists([])?))
    };
    match look() {
        Ok((verdict, false)) if verdict == "ok" => Ok(()),
        Ok((verdict, broken)) => Err(format!("the database: {verdict}, with broken references: {broken}")),
        Err(fault) => Err(format!("the database: {fault}")),
    }
}

/// A word of a prompt's, for counting.
fn word<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
