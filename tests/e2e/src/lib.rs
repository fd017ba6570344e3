//! What the end-to-end tests stand on: the binaries as built, a place of their own, terminals, and patience.
//!
//! Owns: building the binaries once, starting and ending what a test needs. Must not: know what is tested.
//! Tests wait for conditions. [`PATIENCE`] is only how long a condition may fail before the test gives up.

pub mod api;
pub mod browser;
pub mod collector;
pub mod document;
pub mod drill;
pub mod emulator;
pub mod mcp;
pub mod muster;
pub mod real;
pub mod service;
pub mod terminal;
pub mod tmux;
pub mod user;

pub use browser::{Browser, Page};
pub use muster::Muster;
pub use terminal::Terminal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long a condition may take on a slow, shared machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout is there")
}

/// The path of a program of this workspace, built from its present sources.
///
/// A test crate of a virtual workspace is not told where the other packages' binaries are, and they may be stale: so they
/// are built here, and cargo's own messages say where they are. Whoever has just built them names their folder instead.
pub fn program(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("MUSTER_TEST_PROGRAMS") {
        return PathBuf::from(folder).join(name);
    }
    static PROGRAMS: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let all = PROGRAMS.get_or_init(build);
    all.get(name).unwrap_or_else(|| panic!("no program {name} was built; there are {:?}", all.keys())).clone()
}

fn build() -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--message-format=json", "--bins"]);
    cargo.args(["-p", "wrapper", "-p", "server", "-p", "assign", "-p", "actors"]).current_dir(root());
    let out = cargo.output().expect("cargo runs");
    assert!(out.status.success(), "cargo build failed:\n{}", String::from_utf8_lossy(&out.stderr));
    let messages = String::from_utf8(out.stdout).expect("cargo writes UTF-8");
    let program = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let path = PathBuf::from(message["executable"].as_str()?);
        Some((path.file_name()?.to_string_lossy().into_owned(), path))
    };
    messages.lines().filter_map(program).collect()
}

/// Waits until `condition` gives something; panics with `what` when it does not.
#[track_caller]
pub fn wait_for<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    match within(PATIENCE, condition) {
        Some(found) => found,
        None => panic!("waited in vain for: {what}"),
    }
}

/// Waits so long at most until `condition` gives something.
pub fn within<T>(patience: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + patience;
    loop {
        let found = condition();
        if found.is_some() || Instant::now() >= until {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process is there and no zombie.
pub fn is_alive(pid: i64) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

/// Sends a signal to a process that the test started.
pub fn signal(pid: i64, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a process id")).expect("not zero");
    let _ = rustix::process::kill_process(pid, signal);
}
