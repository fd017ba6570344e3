//! `wrap`: for now only the replay of recordings.

mod asciicast;
mod keys;
mod replay;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "wrap")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replays a recording and prints what is seen in it.
    Replay {
        /// The agent whose rules are used.
        #[arg(long, default_value = "any")]
        agent: String,
        /// One JSON object a line.
        #[arg(long)]
        jsonl: bool,
        /// Print the screen at this second and stop.
        #[arg(long)]
        screen_at: Option<f64>,
        /// An asciicast, version 2 or 3.
        file: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let Command::Replay { agent, jsonl, screen_at, file } = Arguments::parse().command;
    let agent =
        patterns::Library::builtin().agent(&agent).with_context(|| format!("no agent is called {agent}"))?;
    let opened = File::open(&file).with_context(|| format!("open {}", file.display()))?;
    let reader =
        asciicast::Reader::new(BufReader::new(opened)).with_context(|| format!("read {}", file.display()))?;
    let mut extractor = extractor::Extractor::new(agent, reader.cols, reader.rows);
    let mut printer = replay::Printer::new(BufWriter::new(std::io::stdout().lock()), jsonl);
    let until = screen_at.unwrap_or(f64::INFINITY);
    let records = reader
        .map(|r| r.map_err(anyhow::Error::from))
        .take_while(|r| r.as_ref().map_or(true, |(at, _)| at.as_secs_f64() <= until));
    replay::replay(&mut extractor, records, |_, seen| {
        if screen_at.is_none() { printer.print(&seen).map_err(anyhow::Error::from) } else { Ok(()) }
    })
    .with_context(|| format!("replay {}", file.display()))?;
    if let Some(at) = screen_at {
        extractor.tick(std::time::Duration::from_secs_f64(at), &mut Vec::new());
        for (i, row) in extractor.screen_text().iter().enumerate().filter(|(_, r)| !r.is_empty()) {
            println!("{:3}|{}", i + 1, wire::text::escape(row));
        }
        println!(
            "{:?} {:?} title={:?} {:?}",
            extractor.claim(),
            extractor.composer(),
            extractor.title(),
            extractor.dialog()
        );
        return Ok(());
    }
    printer.finish()?;
    Ok(())
}
