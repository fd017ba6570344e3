//! `scripted-agent`: a stand-in for a coding agent, for tests and for the demo where no real agent can be had.

use clap::Parser;

/// Behave as a coding agent does, as far as the scripts say.
#[derive(Parser)]
#[command(name = "scripted-agent", version)]
struct Cli {
    #[command(flatten)]
    manners: actors::agent::Manners,
}

fn main() -> anyhow::Result<()> {
    actors::agent::run(Cli::parse().manners)
}
