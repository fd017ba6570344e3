//! `bench`: measures the product beside its anchors, in one run, as ratios. `scripts/bench` builds and runs it.
//!
//! Absolute figures move by a factor of two from hour to hour on shared machines; so everything is measured in turn,
//! round by round, and judged by the median of the rounds' ratios. Must not: be part of the tests.

mod crowd;
mod drain;
mod drill;
mod ends;
mod ere;
mod footprint;
mod inputs;
mod keys;
mod past;
mod pixels;
mod proof;
mod queue;
mod relay;
mod start;
mod status;
mod streams;
mod stress;
mod table;
mod typed;
mod week;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use table::Table;

/// Measure the product beside its anchors.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Bytes a second through `wrap` and through the barest relay, into a draining terminal
    Relay {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Millions of bytes per run
        #[arg(long, default_value_t = 100)]
        megabytes: usize,
        /// Rounds
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Time of `wrap true` beside `true`
    Start {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Rounds
        #[arg(long, default_value_t = 100)]
        rounds: usize,
    },
    /// Time from a key to its echo, beside the barest relay and others
    Keys {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Keys of each way
        #[arg(long, default_value_t = 2_000)]
        keys: usize,
    },
    /// Memory and processor time of sessions
    Footprint {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Sessions at once
        #[arg(long, default_value_t = 200)]
        sessions: usize,
    },
    /// Many simulated sessions before a real server: latency, memory, growth, and a server that is killed
    Stress {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Sessions
        #[arg(long, default_value_t = 10_000)]
        sessions: usize,
        /// Events a second of all
        #[arg(long, default_value_t = 3_000.0)]
        events: f64,
        /// How long
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// All that has a goal, in one table
    Proof(proof::Proof),
    /// Draws a screen twenty times a second
    #[command(hide = true)]
    Draw,
    /// Processor time of many idle sessions with tmux's status line on, beside reading all panes each second
    Status {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Sessions
        #[arg(long, default_value_t = 50)]
        sessions: usize,
        /// How long
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// How soon a turn's end is told, with the real agents against the scripted model
    Ends {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Folder of the agents' commands
        #[arg(long, default_value = ".scratch/agents/bin")]
        agents: PathBuf,
        /// Prompts per agent and way
        #[arg(long, default_value_t = 10)]
        rounds: usize,
    },
    /// Prompts a second through the durable queue, beside bare SQLite
    Queue {
        /// Prompts that wait
        #[arg(long, default_value_t = 100_000)]
        waiting: usize,
        /// Of these, how many are claimed and completed
        #[arg(long, default_value_t = 20_000)]
        claims: usize,
    },
    /// Questions about a long past: the dashboard's numbers, and searches
    Past {
        /// Prompts that have ended
        #[arg(long, default_value_t = 100_000)]
        prompts: usize,
        /// Events that were reported
        #[arg(long, default_value_t = 1_000_000)]
        events: usize,
    },
    /// How soon a prompt is typed into an idle session
    Typed {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Prompts
        #[arg(long, default_value_t = 200)]
        rounds: usize,
    },
    /// Many simulated sessions before a real server and a real browser
    Crowd {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// Sessions
        #[arg(long, default_value_t = 1_000)]
        sessions: usize,
        /// Changes a second of each
        #[arg(long, default_value_t = 10.0)]
        rate: f64,
        /// How long
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// From a byte of the agent to the page's pixels, and a flood in a watched session
    Pixels {
        /// Folder of the product's programs
        #[arg(long, default_value = "target/release")]
        bin: PathBuf,
        /// How long the time is looked at
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Millions of bytes of the flood
        #[arg(long, default_value_t = 200)]
        megabytes: usize,
    },
    /// A simulated week of prompts: how many go to a session in their context, and how fast, against first come
    Week {
        /// Weeks per line, each with another seed
        #[arg(long, default_value_t = 11)]
        weeks: usize,
        /// Minutes of a prompt, in the middle
        #[arg(long, default_value_t = 6.0)]
        task: f64,
        /// Minutes of a switch: starting the agent elsewhere, and its finding its way there
        #[arg(long, value_delimiter = ',', default_values_t = [0.5, 1.0, 2.0, 4.0, 6.0])]
        switch: Vec<f64>,
    },
    /// Bytes a second of one core: parser, emulator, extractor with all rules, `grep -E` with the same rules
    Extractor {
        /// Folder of the recordings that are the TUI traffic
        #[arg(long, default_value = "fixtures/recordings")]
        recordings: PathBuf,
        /// Millions of bytes per run of what is fast; what is slow gets an eighth
        #[arg(long, default_value_t = 64)]
        megabytes: usize,
        /// Rounds
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// One kind of fault, as often as is wanted, judged by what programs, agents and terminals saw
    Drill {
        /// What happens
        what: drill::What,
        /// Folder of the product's programs; without it those with assertions are built, which some drills need
        #[arg(long)]
        bin: Option<PathBuf>,
        /// How often
        #[arg(long, default_value_t = 1000)]
        runs: usize,
        /// What decides about moments
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many at a time
        #[arg(long, default_value_t = 4)]
        agents: usize,
    },
    /// All kinds of faults in turn, for hours; prints how often what happened
    Soak {
        /// How long
        #[arg(long, default_value_t = 2.0)]
        hours: f64,
        /// What decides about moments; each round takes the next
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Folder of the product's programs; without it those with assertions are built, which some drills need
        #[arg(long)]
        bin: Option<PathBuf>,
        /// How many at a time
        #[arg(long, default_value_t = 3)]
        agents: usize,
        /// Only these
        #[arg(long, value_delimiter = ',')]
        only: Vec<drill::What>,
    },
    /// Reads all patterns, finds nothing once, and prints the microseconds that took
    #[command(hide = true)]
    Patterns,
    /// The barest relay: one thread, poll, from one terminal to another
    #[command(hide = true)]
    Barest {
        /// What to run in the inner terminal
        #[arg(trailing_var_arg = true)]
        command: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    let one = |bin: &Path, part: &dyn Fn(&mut Table) -> anyhow::Result<()>| {
        let mut table = Table::begin(bin);
        part(&mut table)?;
        table.end();
        Ok(())
    };
    let own = PathBuf::from("target/release");
    match Cli::parse().what {
        What::Relay { bin, megabytes, rounds } => one(&bin, &|t| relay::measure(&bin, megabytes, rounds, t)),
        What::Start { bin, rounds } => one(&bin, &|t| start::measure(&bin, rounds, t)),
        What::Keys { bin, keys } => one(&bin, &|t| keys::measure(&bin, keys, t)),
        What::Footprint { bin, sessions } => one(&bin, &|t| footprint::measure(&bin, sessions, t)),
        What::Stress { bin, sessions, events, seconds } => {
            let stress = stress::Stress { sessions, events, seconds };
            one(&bin, &|t| stress::measure(&bin, stress, t))
        }
        What::Proof(proof) => one(&proof.bin, &|t| proof.measure(t)),
        What::Draw => footprint::draw(),
        What::Status { bin, sessions, seconds } => status::measure(&bin, sessions, seconds),
        What::Ends { bin, agents, rounds } => {
            let agents = agents.canonicalize()?;
            ends::Bench { bin: &bin, agents: &agents, rounds }.measure()
        }
        What::Extractor { recordings, megabytes, rounds } => {
            one(&own, &|t| streams::measure(&recordings, megabytes << 20, rounds, t))
        }
        What::Queue { waiting, claims } => one(&own, &|t| queue::measure(waiting, claims, t)),
        What::Past { prompts, events } => past::measure(prompts, events),
        What::Typed { bin, rounds } => one(&bin, &|t| typed::measure(&bin, rounds, t)),
        What::Crowd { bin, sessions, rate, seconds } => {
            crowd::measure(&bin, crowd::Crowd { sessions, rate, seconds })
        }
        What::Pixels { bin, seconds, megabytes } => pixels::measure(&bin, seconds, megabytes),
        What::Week { weeks, task, switch } => {
            week::run(weeks, task, &switch);
            Ok(())
        }
        What::Drill { what, bin, runs, seed, agents } => {
            drill::run(what, &e2e::drill::Plan { bin, runs, seed, agents })
        }
        What::Soak { hours, seed, bin, agents, only } => drill::soak(hours, seed, bin, agents, &only),
        What::Patterns => streams::patterns(),
        What::Barest { command } => relay::barest(&command),
    }
}

/// The middle one of some figures.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
