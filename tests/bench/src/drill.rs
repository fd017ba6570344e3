//! Drills as a program: as many as are wanted, with the programs of any folder. Must not: judge (see `e2e::drill`).

use std::path::PathBuf;

use e2e::drill::{self, Plan};

/// What happens while prompts are delivered.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum What {
    /// Observer, server or holder is killed.
    Kill,
    /// The agent opens a dialog.
    Dialog,
}

/// Runs one and prints what came of it; fails when anything happened that must not.
pub fn run(what: What, bin: PathBuf, runs: usize, seed: u64, agents: usize) -> anyhow::Result<()> {
    let plan = Plan { bin: Some(bin), runs, seed, agents };
    let report = match what {
        What::Kill => drill::kill::run(&plan),
        What::Dialog => drill::dialog::run(&plan),
    };
    print!("{report}");
    anyhow::ensure!(report.faults.is_empty(), "{} faults", report.faults.len());
    Ok(())
}
