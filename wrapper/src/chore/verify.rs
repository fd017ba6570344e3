//! The command that says whether a task was done. Must not: judge what it says.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use wire::prompt::Verification;

use super::command::{self, Keep};

/// Bytes of its output that are kept.
const OUTPUT_MAX: usize = 8 << 10;

/// Runs the command where the task ran.
pub async fn verify(line: &str, dir: &str, env: &BTreeMap<String, String>, limit_ms: u64) -> Verification {
    let began = Instant::now();
    let command = command::shell(line, Path::new(dir), env);
    let ran = command::run(command, Duration::from_millis(limit_ms), Keep::Last(OUTPUT_MAX)).await;
    let (status, output) = match ran {
        Ok(ran) => (ran.status, command::plain(&ran.output)),
        // As a shell says it of a command that it cannot run.
        Err(fault) => (Some(126), format!("it cannot be run in {dir}: {fault}")),
    };
    let duration_ms = began.elapsed().as_millis() as u64;
    Verification { command: line.to_owned(), status, output, duration_ms }
}

/// A verification that was called off.
pub fn ended(command: String) -> Verification {
    Verification { command, status: None, output: String::new(), duration_ms: 0 }
}
