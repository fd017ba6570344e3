//! `record`: makes labelled recordings of real agents against the scripted model, and says what a newer version of an
//! agent changes. Must not: use what the product concludes as the truth.

mod check;
mod driver;
mod labels;
mod pty;
mod replay;
mod scenario;
mod take;
mod tape;
mod terminal;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};

use crate::scenario::Scenario;
use crate::take::Stage;

/// Make labelled recordings of real agents, or see what a newer version changes.
#[derive(Parser)]
#[command(name = "record", version)]
struct Cli {
    /// Folder of the fixtures
    #[arg(long, default_value = "fixtures")]
    fixtures: PathBuf,
    /// Folder with agents' commands; may be given more than once
    #[arg(long = "bin")]
    bins: Vec<PathBuf>,
    /// Folder for throw-away homes; it is visible in the recordings
    #[arg(long, default_value = "/tmp/muster-record")]
    homes: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Record scenarios
    Take {
        /// Folder for the recordings: AGENT/VERSION/SCENARIO below it
        #[arg(long, default_value = "fixtures/recordings")]
        out: PathBuf,
        /// Only scenarios of these names
        #[arg(long)]
        only: Vec<String>,
        /// Agents, by their files in fixtures/agents; all when none is named
        agents: Vec<String>,
    },
    /// Record scenarios into a scratch folder and say what changed against the committed recordings
    Check {
        /// Folder for the new recordings; emptied first
        #[arg(long)]
        out: PathBuf,
        /// The `wrap` that replays them
        #[arg(long)]
        wrap: PathBuf,
        /// Only scenarios of these names
        #[arg(long)]
        only: Vec<String>,
        /// Agents, by their files in fixtures/agents; all when none is named
        agents: Vec<String>,
    },
    /// Say where what is seen in recordings differs from their labels
    Score {
        /// The `wrap` that replays them
        #[arg(long)]
        wrap: PathBuf,
        /// Folder of recordings
        #[arg(default_value = "fixtures/recordings")]
        folder: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // Agents run in folders of their own.
    let bins = cli.bins.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
    let stage = Stage { fixtures: cli.fixtures, bins, homes: cli.homes };
    match cli.verb {
        Verb::Take { out, only, agents } => {
            let failed = take(&stage, &out, &only, &agents)?;
            ensure!(failed == 0, "{failed} scenarios could not be recorded");
        }
        Verb::Check { out, wrap, only, agents } => {
            let _ = std::fs::remove_dir_all(&out);
            let failed = take(&stage, &out, &only, &agents)?;
            let worse = check::changes(&wrap, &stage.fixtures.join("recordings"), &out)?;
            ensure!(failed == 0, "{failed} scenarios could not be recorded, {worse} changed for the worse");
            ensure!(worse == 0, "{worse} scenarios changed for the worse");
        }
        Verb::Score { wrap, folder } => {
            let faulty = check::score(&wrap, &folder)?;
            ensure!(faulty == 0, "{faulty} recordings are seen otherwise than they are labelled");
        }
    }
    Ok(())
}

/// The scenarios of an agent, or those of them that were named.
fn chosen<'a>(all: &'a [Scenario], agent: &str, only: &[String]) -> Vec<&'a Scenario> {
    let named = |s: &&Scenario| only.is_empty() || only.contains(&s.name);
    all.iter().filter(|s| s.agents.iter().any(|a| a == agent)).filter(named).collect()
}

fn first_line(fault: &anyhow::Error) -> String {
    format!("{fault:#}").lines().next().unwrap_or_default().to_owned()
}

/// Records; the number of scenarios that could not be.
fn take(stage: &Stage, out: &std::path::Path, only: &[String], agents: &[String]) -> anyhow::Result<usize> {
    let scenarios = scenario::load(&stage.fixtures.join("scenarios"))?;
    let agents = if agents.is_empty() { stage.agents()? } else { agents.to_vec() };
    let mut failed = 0;
    for name in agents {
        let Some(agent) = stage.agent(&name)? else {
            println!("{name}: not installed");
            continue;
        };
        for scenario in chosen(&scenarios, &name, only) {
            let folder = out.join(&name).join(&agent.version).join(&scenario.name);
            // A key may be lost on a busy machine; what fails twice is a finding.
            let done = stage.take(&agent, scenario, &folder).or_else(|fault| {
                println!(
                    "{name} {} {}: once more, for: {}",
                    agent.version,
                    scenario.name,
                    first_line(&fault)
                );
                stage.take(&agent, scenario, &folder)
            });
            let done = done.with_context(|| format!("{name} {} {}", agent.version, scenario.name));
            match done {
                Ok(()) => println!("{name} {} {}: recorded", agent.version, scenario.name),
                Err(fault) => {
                    failed += 1;
                    println!("{fault:#}");
                }
            }
        }
    }
    Ok(failed)
}
