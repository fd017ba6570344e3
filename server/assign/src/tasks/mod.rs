//! Task files: prompts that are files of a folder, with their results beside them. `assign watch-dir` and `assign task`.
//!
//! Owns: what can be done with them besides watching. A watcher keeps nothing of its own: which file is which prompt
//! follows from the folder and the server, so that it may be killed at any moment. Must not: decide where a prompt goes.

mod clean;
mod folder;
mod name;
mod record;
mod rest;
mod watch;

use std::path::{Path, PathBuf};

use assign::task;
use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use wire::text::escape;

use crate::agree::agrees;
use crate::failure::Failure;
use crate::print::Printer;
use crate::sending;
pub use clean::Removed;

use folder::Unread;
use name::Name;

pub use watch::watch;

const AFTER: &str = "\
A task is a file NAME.task.md; `assign task new NAME` writes one to begin with:
  ---
  type: fix            # fix | code_review | analyze | summarize
  priority: high       # high | medium | low
  dir: ~/api
  verify: make test
  ---
  ## Target files
  ## Prompt
  ## Success criteria
  ## Context

All of the front matter may be left out; it takes every option of `assign PROMPT`. What stands
below is the prompt. Of the sections only Prompt must be there; plain prose does as well. Empty
sections and comments (<!-- -->) are left out. A file has at most 256 KiB.

When it has ended, NAME.result.json (`assign task schema`) and NAME.summary.txt are written beside
it, and it is moved to done/ or failed/. What cannot be read as a task is told in NAME.error.txt
and tried again when it changes. A file that is put there again after its end is a new task; one
that changes while its prompt is open becomes another. Symbolic links are not followed; names that
begin with `.` or `#` are left alone. Whoever can write here can send prompts and commands.

With --once the exit code is that of --wait: 0 when all were completed; 1 when one failed or is
broken; 6 when one is held; 7 when one was cancelled.";

/// A folder to watch.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct WatchArgs {
    /// The folder.
    dir: PathBuf,
    /// Take what is there, wait for the ends, and leave.
    #[arg(long)]
    once: bool,
}

/// What is done with task files.
#[derive(Debug, Subcommand)]
pub enum TaskVerb {
    /// Write a task to begin with: to NAME.task.md, or to standard output.
    New {
        /// Its name, or a path that ends in it.
        name: Option<PathBuf>,
    },
    /// Say whether files can be read as tasks.
    Validate {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Remove archived tasks and their results from a folder.
    Clean {
        /// The folder.
        dir: PathBuf,
        /// Only those that were archived so long ago.
        #[arg(long, value_name = "TIME", default_value = "30d", value_parser = sending::duration)]
        older: u64,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Print the JSON schema of a NAME.result.json.
    Schema,
}

/// What is said of one file.
#[derive(Serialize, JsonSchema)]
pub struct Verdict {
    file: String,
    valid: bool,
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// Does one of these. Gives the exit code.
pub fn run(print: &Printer, verb: TaskVerb) -> Result<u8, Failure> {
    match verb {
        TaskVerb::New { name: None } => print.bytes(task::TEMPLATE.as_bytes()).map(|()| 0),
        TaskVerb::New { name: Some(path) } => new(print, &path),
        TaskVerb::Validate { files } => validate(print, &files),
        TaskVerb::Clean { dir, older, yes } => {
            clean::clean(print, &dir, older, |question| agrees(question, yes))
        }
        TaskVerb::Schema => print.bytes(record::SCHEMA.as_bytes()).map(|()| 0),
    }
}

fn new(print: &Printer, path: &Path) -> Result<u8, Failure> {
    let bad = |why: String| Failure::Usage(format!("{}: {why}", escape(&path.display().to_string())));
    let file = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let name = Name::new(file.strip_suffix(name::ENDING).unwrap_or(file)).map_err(bad)?;
    let path = path.with_file_name(name.task());
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    let written = made.and_then(|mut file| std::io::Write::write_all(&mut file, task::TEMPLATE.as_bytes()));
    written.map_err(|e| bad(format!("cannot be written: {e}")))?;
    print.line(&escape(&path.display().to_string())).map(|()| 0)
}

fn validate(print: &Printer, files: &[PathBuf]) -> Result<u8, Failure> {
    let verdicts: Vec<Verdict> = files.iter().map(|path| verdict(path)).collect();
    print.objects_or(&verdicts, || {
        let lines = verdicts.iter().flat_map(|v| {
            let head = format!("{}: {}", v.file, if v.valid { "valid" } else { "broken" });
            let warnings = v.warnings.iter().map(|w| format!("  warning: {w}"));
            std::iter::once(head).chain(v.faults.iter().map(|f| format!("  {f}"))).chain(warnings)
        });
        lines.collect::<Vec<_>>().join("\n")
    })?;
    Ok(if verdicts.iter().all(|v| v.valid) { 0 } else { 2 })
}

fn verdict(path: &Path) -> Verdict {
    let file = escape(&path.display().to_string());
    let named = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(name::ENDING));
    let mut warnings = Vec::new();
    match named.map(Name::new) {
        Some(Ok(_)) => {}
        Some(Err(why)) => warnings.push(format!("a watcher does not take it: {why}")),
        None => {
            warnings.push(format!("a watcher does not take it: its name does not end in {}", name::ENDING))
        }
    }
    let read = folder::read(path).map_err(|unread| match unread {
        Unread::Refused(why) => why,
        Unread::Failed(e) => format!("cannot be read: {e}"),
    });
    let parsed =
        read.and_then(|read| task::parse(&read.text, &jiff::Zoned::now()).map_err(|b| b.to_string()));
    match parsed {
        Ok(task) => {
            warnings.extend(task.warnings);
            Verdict { file, valid: true, faults: Vec::new(), warnings }
        }
        Err(why) => {
            let faults = why.lines().map(str::to_owned).collect();
            Verdict { file, valid: false, faults, warnings }
        }
    }
}
