//! All that has a goal, measured in one run, in one table. Must not: measure anything itself.

use std::path::PathBuf;

use crate::stress::Stress;
use crate::table::Table;
use crate::{footprint, keys, queue, relay, start, streams, stress, typed};

/// What of it, and how much.
#[derive(Debug, clap::Args)]
pub struct Proof {
    /// Folder of the product's programs
    #[arg(long, default_value = "target/release")]
    pub bin: PathBuf,
    /// Parts, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "relay,keys,start,extractor,footprint,queue,typed,server"
    )]
    parts: Vec<String>,
    /// Millions of bytes that each relay takes in each round; the goal speaks of 1,000
    #[arg(long, default_value_t = 100)]
    megabytes: usize,
    /// Rounds of relay and extractor
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Keys of each way
    #[arg(long, default_value_t = 2_000)]
    keys: usize,
    /// Wrapped sessions at once
    #[arg(long, default_value_t = 200)]
    sessions: usize,
    /// Simulated sessions before one server
    #[arg(long, default_value_t = 10_000)]
    crowd: usize,
    /// Seconds of events there
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Recordings of real agents
    #[arg(long, default_value = "fixtures/recordings")]
    recordings: PathBuf,
}

impl Proof {
    /// Measures the parts one after the other; one that fails does not keep the others from being measured.
    pub fn measure(&self, table: &mut Table) -> anyhow::Result<()> {
        for part in &self.parts {
            if let Err(fault) = self.part(part, table) {
                table.not_tried(part, &format!("{fault:#}"));
            }
        }
        Ok(())
    }

    fn part(&self, part: &str, table: &mut Table) -> anyhow::Result<()> {
        match part {
            "relay" => relay::measure(&self.bin, self.megabytes, self.rounds, table),
            "keys" => keys::measure(&self.bin, self.keys, table),
            "start" => start::measure(&self.bin, 100, table),
            "extractor" => streams::measure(&self.recordings, 64 << 20, self.rounds, table),
            "footprint" => footprint::measure(&self.bin, self.sessions, table),
            "queue" => queue::measure(100_000, 20_000, table),
            "typed" => typed::measure(&self.bin, 200, table),
            "server" => {
                // A tenth beside it, so that what does not grow in proportion is seen.
                for part in [10, 1] {
                    let sessions = self.crowd / part;
                    let stress = Stress { sessions, events: 0.3 * sessions as f64, seconds: self.seconds };
                    stress::measure(&self.bin, stress, table)?;
                }
                Ok(())
            }
            _ => anyhow::bail!("there is no part {part}"),
        }
    }
}
