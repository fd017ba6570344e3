//! Drills as a program: one of them, as often as is wanted, or all in turn for hours. Must not: judge (see `e2e::drill`).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use e2e::drill::{self, Plan, Report};
use wire::text::escape;

/// What happens. The guarantees are those of SECURITY.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum What {
    /// G1: The same program bare and wrapped, with bad servers
    Same,
    /// G2 G5: Observer and server are killed while a program writes
    Flow,
    /// G3: Endings in a changed terminal; real emulators are asked
    Endings,
    /// G4: All exit codes and deadly signals
    Exits,
    /// G5 G6 G10: Death at a point of the code, the first time, the second, and so on
    Points,
    /// G6: Observer, server or holder is killed at a step of a delivery
    Kill,
    /// G7: The agent opens a dialog at any moment of a delivery
    Dialog,
    /// G6 G7 G8: Random worlds of the real cores, with simulated agents and time
    Worlds,
    /// G9: The disk fills up and has room again
    Disk,
    /// G9: The disk answers with errors for a while
    Errors,
    /// G10: The power goes while a server works
    Power,
    /// G10: The server is killed at a step of making its database
    Migrate,
    /// G11: Many look slowly at a session that writes fast
    Viewers,
    /// G12: The server is killed with many sessions connected
    Storm,
    /// G13: Server and observer are exchanged during a delivery
    Upgrade,
    /// G15: Output that crashes the observer
    Poison,
    /// G17: A process stops during a delivery and goes on later
    Pause,
}

impl What {
    /// Runs at a time in a soak: each takes a minute or less.
    const ALL: [(Self, usize); 17] = [
        (Self::Same, 18),
        (Self::Flow, 16),
        (Self::Endings, 60),
        (Self::Exits, 279),
        (Self::Points, 8),
        (Self::Kill, 54),
        (Self::Dialog, 96),
        (Self::Worlds, 6_000),
        (Self::Disk, 9),
        (Self::Errors, 9),
        (Self::Power, 12),
        (Self::Migrate, 10),
        (Self::Viewers, 1),
        (Self::Storm, 6),
        (Self::Upgrade, 4),
        (Self::Poison, 12),
        (Self::Pause, 9),
    ];

    fn run(self, plan: &Plan) -> Report {
        match self {
            Self::Same => drill::same::run(plan),
            Self::Flow => drill::flow::run(plan),
            Self::Endings => drill::endings::run(plan),
            Self::Exits => drill::exits::run(plan),
            Self::Points => drill::points::run(plan),
            Self::Kill => drill::kill::run(plan),
            Self::Dialog => drill::dialog::run(plan),
            Self::Worlds => worlds(plan),
            Self::Disk => drill::disk::run(plan),
            Self::Errors => drill::errors::run(plan),
            Self::Power => drill::power::run(plan),
            Self::Migrate => drill::migrate::run(plan),
            Self::Viewers => drill::viewers::run(plan),
            Self::Storm => drill::storm::run(plan),
            Self::Upgrade => drill::upgrade::run(plan),
            Self::Poison => drill::poison::run(plan),
            Self::Pause => drill::pause::run(plan),
        }
    }

    fn name(self) -> String {
        clap::ValueEnum::to_possible_value(&self).map(|v| v.get_name().to_owned()).unwrap_or_default()
    }
}

/// `runs` are operations.
fn worlds(plan: &Plan) -> Report {
    let begun = Instant::now();
    let (done, verdict) = model::random::run(plan.runs, plan.seed);
    let counts = [("runs", done.operations), ("prompts", done.prompts), ("texts typed", done.typed)];
    Report {
        counts: counts.map(|(what, n)| (what.to_owned(), n)).into(),
        faults: verdict.err().into_iter().collect(),
        took: begun.elapsed(),
    }
}

/// Runs one and prints what came of it; fails when anything happened that must not.
pub fn run(what: What, plan: &Plan) -> anyhow::Result<()> {
    let report = what.run(plan);
    print!("{report}");
    anyhow::ensure!(report.faults.is_empty(), "{} faults", report.faults.len());
    Ok(())
}

/// Runs all in turn, each time with another seed, until the time is over; prints what came of each, and fails when
/// anything happened that must not.
pub fn soak(hours: f64, seed: u64, bin: Option<PathBuf>, agents: usize, only: &[What]) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs_f64(hours * 3600.0);
    let mut all: BTreeMap<What, Report> = BTreeMap::new();
    let mut round = 0;
    while Instant::now() < until {
        for (what, runs) in What::ALL {
            if Instant::now() >= until || !(only.is_empty() || only.contains(&what)) {
                continue;
            }
            let plan = Plan { bin: bin.clone(), runs, seed: seed.wrapping_add(round), agents };
            // What a drill stops at has been told by its panic, with all logs; the others go on.
            let ran = catch_unwind(AssertUnwindSafe(|| what.run(&plan)));
            let report = ran.unwrap_or_else(|_| {
                let mut report = Report::default();
                report.fault("it stopped; standard error says where");
                report
            });
            let (name, seed) = (what.name(), plan.seed);
            println!(
                "{name:<10} seed {seed:<6} {:>6} runs {:>5.0} s {} faults",
                report.get("runs"),
                report.took.as_secs_f64(),
                report.faults.len()
            );
            let again = format!("bench drill {name} --runs {runs} --seed {seed} --agents {agents}");
            report.faults.iter().for_each(|fault| println!("FAULT of `{again}`: {}", escape(fault)));
            all.entry(what).or_default().add(report);
        }
        round += 1;
    }
    let faults: usize = all.values().map(|report| report.faults.len()).sum();
    for (what, report) in &mut all {
        report.faults.clear();
        println!("\n{}\n{report}", what.name());
    }
    println!("{faults} faults in {hours} hours, seeds {seed} to {}", seed.wrapping_add(round));
    anyhow::ensure!(faults == 0, "{faults} faults");
    Ok(())
}
