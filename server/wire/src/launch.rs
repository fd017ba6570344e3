//! How the session of a pool is started: by `wrap`, the same on the server's host and on any other. Must not: decide that.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::Mode;

use crate::pool::NewPool;

/// How long `wrap` may take to return.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Most that is read of what it complains.
const COMPLAINT: u64 = 2_000;

/// A program that belongs to the one that runs: beside it, else on the path.
pub fn program(name: &str) -> PathBuf {
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

/// What tells a program that it runs inside of something, and is not so where a session of a pool runs.
const INSIDE: [&str; 4] = ["TMUX", "TMUX_PANE", "STY", "MUSTER_SESSION"];

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
    let until = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("`wrap` failed ({status}): {}", complaint(child))),
            Ok(None) if Instant::now() < until => std::thread::sleep(LOOK),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`wrap` did not return within {} seconds", PATIENCE.as_secs()));
            }
            Err(e) => return Err(format!("cannot wait for `wrap`: {e}")),
        }
    }
}

fn complaint(child: Child) -> String {
    let mut text = Vec::new();
    if let Some(from) = child.stderr {
        // What cannot be read is missing from the complaint, no more.
        let _ = from.take(COMPLAINT).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).trim().to_owned()
}
