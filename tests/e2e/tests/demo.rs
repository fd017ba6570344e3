//! The demo, as a new user runs it.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::process::{Command, Stdio};

use e2e::{program, root};

#[test]
fn the_demo_runs_through_and_ends_all_that_it_started() {
    if std::env::var_os("MUSTER_TEST_AGENTS").is_none() {
        eprintln!("not tried: MUSTER_TEST_AGENTS is not set; scripts/test sets it");
        return;
    }
    // Built by the first who asks, so that the demo finds them.
    program("wrap");
    let folder = tempfile::Builder::new().prefix("mu").tempdir().unwrap();
    let place = folder.path().join("d");
    // What it starts stays, and would keep a pipe open: so it writes into a file.
    let said = folder.path().join("said");
    let demo = |options: &[&str]| {
        let mut demo = Command::new(root().join("scripts/demo"));
        demo.args(options).env("MUSTER_DEMO", &place).env_remove("XDG_RUNTIME_DIR");
        let file = File::create(&said).unwrap();
        let status =
            demo.stdout(file.try_clone().unwrap()).stderr(file).stdin(Stdio::null()).status().unwrap();
        (status.success(), std::fs::read_to_string(&said).unwrap())
    };
    let (ran, told) = demo(&["--debug"]);
    let (stopped, end) = demo(&["--debug", "--stop"]);
    assert!(ran, "{told}");
    for line in ["api is the real Claude Code, web is the real Codex", "/login?code=", "Everything stays up"]
    {
        assert!(told.contains(line), "{line:?} in:\n{told}");
    }
    assert!(stopped, "{end}");
    assert!(!place.exists());
}
