//! New programs in the place of old ones, while sessions live.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use e2e::{Muster, is_alive, program, root, signal, wait_for};
use rustix::process::Signal;

/// Puts programs there as a package manager does: new files, moved over the old ones.
fn install(bin: &Path) {
    for name in ["wrap", "assigner", "assign"] {
        let new = bin.join(format!("{name}.new"));
        fs::copy(program(name), &new).unwrap();
        fs::rename(new, bin.join(name)).unwrap();
    }
}

#[test]
fn g13_an_upgrade_in_place_loses_no_session_and_no_prompt() {
    let folder = tempfile::Builder::new().prefix("mu").tempdir().unwrap();
    install(folder.path());
    let muster = Muster::of(folder.path());
    let project = muster.project("p");
    let kept = muster.folder().join("kept");
    let mut wrap = muster.command("wrap");
    wrap.args(["-d", "--name", "api", "-C"]).arg(&project).arg(program("scripted-agent"));
    wrap.arg("--scripts").arg(root().join("fixtures/scripts")).arg("--keep").arg(&kept);
    assert!(wrap.status().unwrap().success());
    muster.await_state("api", "idle");
    let before = muster.live("api").unwrap();
    let waiting = muster.send(&["--in", "2h", "Later"]);

    install(folder.path());
    let old = muster.server();
    muster.ok("assigner", &["stop"]);
    wait_for("the old server's end", || (!is_alive(old)).then_some(()));
    // The part that thinks is exchanged as well: its end is noticed, and the new program is started.
    let observer = before["observer"].as_i64().unwrap();
    signal(observer, Signal::KILL);
    let is_new = |pid: i64, name: &str| {
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        (program == folder.path().canonicalize().ok()?.join(name)).then_some(())
    };
    wait_for("the new observer", || {
        let now = muster.live("api")?["observer"].as_i64().filter(|pid| *pid != observer)?;
        is_new(now, "wrap")
    });
    let id = muster.send(&["--to", "api", "What is the capital of France?"]);
    muster.await_prompt(id, "completed");
    is_new(muster.server(), "assigner").expect("the server is the new program");

    let after = muster.live("api").unwrap();
    assert_eq!((&after["pid"], &after["holder"]), (&before["pid"], &before["holder"]), "the agent runs on");
    assert_eq!(muster.prompt(waiting)["prompt"]["state"], "pending");
    let typed = String::from_utf8_lossy(&fs::read(&kept).unwrap()).matches("capital of France").count();
    assert_eq!(typed, 1);
}
