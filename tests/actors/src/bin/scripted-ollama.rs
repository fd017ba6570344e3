//! `scripted-ollama`: behaves in a terminal as `ollama run MODEL` is documented to; a stand-in, not the real program.

use clap::Parser;

/// Stand-in for `ollama`, for recordings and tests.
#[derive(Parser)]
#[command(name = "scripted-ollama", version)]
enum Cli {
    /// Talk to a model
    Run {
        /// The model's name
        model: String,
    },
}

fn main() -> anyhow::Result<()> {
    let Cli::Run { model } = Cli::parse();
    std::process::exit(actors::ollama::run(&model)?)
}
