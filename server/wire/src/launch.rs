//! How programs are run and waited for; among them `wrap`, by which the session of a pool is started, the same on the
//! server's host and on any other. Must not: decide that.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::Mode;

use crate::pool::NewPool;

/// How long `wrap` may take to return.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Most that is read of what it complains.
const COMPLAINT: u64 = 2_000;
/// What tells a program that it runs inside of something, and is not so where a session of a pool runs.
const INSIDE: [&str; 4] = ["TMUX", "TMUX_PANE", "STY", "MUSTER_SESSION"];

/// A program that belongs to the one that runs: beside it, else on the path.
pub fn program(name: &str) -> PathBuf {
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

/// Starts a session of a pool under a name, and waits until it is there; else says why it is not. `umask` is the user's
/// own, where this process has another.
pub fn session(pool: &NewPool, name: &str, umask: Option<Mode>) -> Result<(), String> {
    let wrap = program("wrap");
    let mut command = Command::new(&wrap);
    for name in INSIDE {
        command.env_remove(name);
    }
    command.args(umask.map(|mask| format!("--umask={:03o}", mask.as_raw_mode())));
    command.args(pool.arguments(name)).envs(&pool.env).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("cannot run {}: {e}", wrap.display()))?;
    match ended(&mut child, PATIENCE) {
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(status)) => Err(format!("`wrap` failed ({status}): {}", complaint(child))),
        Ok(None) => Err(format!("`wrap` did not return within {} seconds", PATIENCE.as_secs())),
        Err(e) => Err(format!("cannot wait for `wrap`: {e}")),
    }
}

/// Waits for the end of a process; nothing when it takes longer, and is killed.
pub fn ended(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

/// What a program says on its standard output, up to so many bytes, and how it ended; nothing when it takes longer.
pub fn said(command: &mut Command, patience: Duration, most: u64) -> Option<(ExitStatus, String)> {
    let until = Instant::now() + patience;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut from = child.stdout.take()?.take(most);
    // Read beside, as a pipe that is full holds a program up, and what it left behind may keep the pipe open.
    let (said, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = from.read_to_end(&mut bytes);
        let _ = said.send(read.map(|_| bytes));
    });
    let status = ended(&mut child, patience).ok()??;
    let bytes = heard.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?.ok()?;
    Some((status, String::from_utf8_lossy(&bytes).into_owned()))
}

fn complaint(child: Child) -> String {
    let mut text = Vec::new();
    if let Some(from) = child.stderr {
        // What cannot be read is missing from the complaint, no more.
        let _ = from.take(COMPLAINT).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).trim().to_owned()
}
