//! `assign run FILE`: many prompts that depend on each other, from one file.
//!
//! Owns: reading the file, the name of a run. A run keeps nothing of its own: what was queued is in the server, under
//! keys made of the run's and the steps' names, so that starting it again queues nothing twice.
//! Must not: decide where a prompt goes.

mod counts;
mod drive;
mod end;
mod file;
mod graph;
mod machine;
mod preview;
mod report;
mod template;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Zoned;
use uuid::Uuid;
use wire::text::escape;

use crate::client::Client;
use crate::failure::Failure;
use crate::print::{Printer, quoted};
use crate::sending;
use crate::tree::{self, Fault, Node};
pub use preview::Row;
pub use report::{Begun, Change, Over};

use file::Flow;
use graph::Graph;

/// Largest file, in bytes.
const FILE_MAX: u64 = 8 << 20;

const AFTER: &str = "\
A file in TOML or YAML:
  on-failure = \"skip\"     # what a failed step means: stop | skip (what comes after it) | continue
  vars.branch = \"main\"
  defaults = { dir = \"~/api\", branch = \"{{vars.branch}}\" }
  [[steps]]
  id = \"list\"
  prompt = \"List the modules without tests, one a line and nothing else\"
  [[steps]]
  id = \"fix\"
  foreach = \"{{steps.list.output}}\"       # its lines; or a list: [\"a\", \"b\"]
  prompt = \"Write tests for {{item}}\"
  verify = \"make test\"
  [[steps]]
  after = [\"fix\"]                         # numbers are prompts of the queue
  prompt = \"Review what was done: {{steps.fix.fenced}}\"

A step takes all options of `assign PROMPT` under their names, and `on-failure` of its own.
Directories count from the file's own. A plain list of texts is a run, too.

{{steps.ID.output}} is another agent's answer (64 KiB are kept of each), put in as it is: one that
was misled may write into it what misleads the next; by `foreach` it makes at most 1,000 prompts.
{{steps.ID.fenced}} sets it apart by fences that nothing in it can end; say before it what it is.
{{steps.ID.status}} is completed, failed, cancelled or skipped. They stand in prompts only, never
in a command, a directory or a branch. \\{{ is two braces.

Exit codes are those of --wait: 0 when all were completed; 1 when one failed (124: by time
alone); 6 when the rest waits for a person; 7 when one was cancelled; 130 after Ctrl-C.";

/// A file, and how to run it.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct RunArgs {
    /// The file; `-` reads standard input.
    file: PathBuf,
    /// How it is written, when its name does not say so.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A value for `{{vars.NAME}}`, in the place of the file's own.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = sending::variable)]
    vars: Vec<(String, String)>,
    /// Print what would be done and who would get it; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Go on with a run that was started before, with the same file and values. What `assign clear` made the server
    /// forget is queued again.
    #[arg(long, value_name = "RUN", conflicts_with = "dry_run")]
    resume: Option<String>,
    /// At Ctrl-C call off what no session has yet, instead of leaving the queue as it is.
    #[arg(long)]
    cancel_on_interrupt: bool,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Toml,
    Yaml,
}

/// A run that can begin.
struct Run {
    id: String,
    flow: Flow,
    graph: Graph,
    /// From where its directories count.
    base: PathBuf,
    /// How it is gone on with.
    resume: String,
    cancel: bool,
}

/// Runs a file to its end. Gives the exit code.
pub async fn run(client: &Client, print: &Printer, args: RunArgs) -> Result<u8, Failure> {
    let (id, start) = named(args.resume.as_deref())?;
    let root = parse(&args)?;
    let read = file::read(&root, &args.vars, &start).and_then(|flow| {
        let graph = graph::graph(&flow)?;
        Ok((flow, graph))
    });
    let (flow, graph) = read.map_err(|faults| refused(&args.file, &faults))?;
    let base = match args.file.parent().filter(|_| !is_stdin(&args.file)) {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let resume = resume(&args, &id);
    let run = Run { id, flow, graph, base, resume, cancel: args.cancel_on_interrupt };
    if args.resume.is_some() {
        // What is queued already is not to be judged anew: what it waited for may be forgotten by now.
        return drive::drive(client, print, &run, true).await;
    }
    let foreseen = preview::foresee(client, &run).await?;
    if !foreseen.faults.is_empty() {
        return Err(refused(&args.file, &foreseen.faults));
    }
    if args.dry_run {
        preview::show(client, print, &run, &foreseen).await?;
        return Ok(0);
    }
    drive::drive(client, print, &run, false).await
}

/// A run's name, and when it began: the name says it, so that its times are the same whenever it is gone on with.
fn named(resume: Option<&str>) -> Result<(String, Zoned), Failure> {
    let id = match resume {
        None => Uuid::now_v7(),
        Some(word) => Uuid::try_parse(word).map_err(|_| no_run(word))?,
    };
    let (seconds, nanos) = id.get_timestamp().ok_or_else(|| no_run(&id.to_string()))?.to_unix();
    let start = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::new(s, nanos.cast_signed()).ok());
    let start = start.ok_or_else(|| no_run(&id.to_string()))?;
    Ok((id.to_string(), start.to_zoned(jiff::tz::TimeZone::system())))
}

fn no_run(word: &str) -> Failure {
    Failure::Usage(format!("'{}' is no run: `assign run` prints its name when it begins", escape(word)))
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn parse(args: &RunArgs) -> Result<Node, Failure> {
    let path = &args.file;
    let bad = |text: String| Failure::Usage(format!("{}: {text}", escape(&path.display().to_string())));
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let format = match (args.format, ending.as_str()) {
        (Some(format), _) => format,
        (None, "toml") => Format::Toml,
        (None, "yaml" | "yml") => Format::Yaml,
        (None, _) => return Err(bad("is it TOML or YAML? Say --format toml or --format yaml".to_owned())),
    };
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        std::io::stdin().lock().take(FILE_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|e| bad(format!("cannot be read: {e}")))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(bad(format!("is larger than {} MiB; split it into several runs", FILE_MAX >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|_| bad("is not UTF-8 text".to_owned()))?;
    let root = match format {
        Format::Toml => tree::toml(&text),
        Format::Yaml => tree::yaml(&text),
    };
    root.map_err(|fault| refused(path, &[fault]))
}

fn refused(path: &Path, faults: &[Fault]) -> Failure {
    let lines: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    let path = escape(&path.display().to_string());
    Failure::Usage(format!("{path} cannot be run; nothing was queued:{}", lines.concat()))
}

/// The command that goes on with a run.
fn resume(args: &RunArgs, id: &str) -> String {
    let mut words = vec!["assign".to_owned(), "run".to_owned(), "--resume".to_owned(), id.to_owned()];
    for (name, value) in &args.vars {
        words.extend(["--var".to_owned(), quoted(&format!("{name}={value}"))]);
    }
    words
        .extend(args.format.map(|f| format!("--format {}", if f == Format::Toml { "toml" } else { "yaml" })));
    if args.cancel_on_interrupt {
        words.push("--cancel-on-interrupt".to_owned());
    }
    words.push(quoted(&args.file.display().to_string()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_gone_on_with_began_when_it_began() {
        let (id, start) = named(None).unwrap();
        let (again, same) = named(Some(&id)).unwrap();
        assert_eq!((&id, start.timestamp()), (&again, same.timestamp()));
        for word in ["", "x", "7c4cf2b4-9a1e-4d0b-8f67-3c1c0f4ac7a1"] {
            assert!(named(Some(word)).is_err(), "{word}");
        }
    }
}
