//! The tmux plugin, in a real tmux: wrap in a window, counts in the status line, the jump to who needs the user.
#![allow(clippy::unwrap_used)]

use e2e::tmux::Tmux;
use e2e::{Muster, program, root, wait_for};

/// A tmux with the plugin, in which the product's commands are found.
fn start(muster: &Muster) -> Tmux {
    let programs = program("wrap").parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let home = muster.home();
    let env = [("MUSTER_HOME", home.as_path()), ("MUSTER_PORT", "0".as_ref()), ("PATH", path.as_ref())];
    let tmux =
        Tmux::start(muster.folder(), &env, "bash --norc --noprofile").expect("tmux is needed for this test");
    let plugin = root().join("scripts/tmux/muster.tmux");
    tmux.run(&["run-shell", plugin.to_str().unwrap()]);
    tmux
}

fn status(tmux: &Tmux) -> String {
    tmux.run(&["show-option", "-gqv", "@muster_status"]).trim().to_owned()
}

fn await_status(tmux: &Tmux, wanted: &str) {
    wait_for(&format!("the status {wanted:?}; it is {:?}", status(tmux)), || {
        (status(tmux) == wanted).then_some(())
    });
}

#[test]
fn the_status_line_follows_and_the_jump_finds_who_needs_the_user() {
    let muster = Muster::new();
    let project = muster.project("p");
    muster.scripted("headless", &project, &[]);
    muster.await_state("headless", "idle");
    let tmux = start(&muster);
    await_status(&tmux, "1 idle");
    assert!(tmux.run(&["show-option", "-gqv", "status-right"]).contains("@muster_status"));

    // A second session, in a pane of its own.
    let agent = program("scripted-agent");
    let scripts = root().join("fixtures/scripts");
    let command = format!(
        "exec wrap --name windowed -C '{}' '{}' --scripts '{}'",
        project.display(),
        agent.display(),
        scripts.display()
    );
    tmux.run(&["new-window", "-d", &command]);
    await_status(&tmux, "2 idle");
    let pane = muster.live("windowed").unwrap()["pane"].as_str().unwrap().to_owned();

    muster.send(&["--to", "windowed", "Please greet the world politely in hello.py"]);
    await_status(&tmux, "1 asks · 1 idle");
    tmux.run(&["run-shell", root().join("scripts/tmux/next").to_str().unwrap()]);
    wait_for("the jump to the pane", || {
        (tmux.run(&["display-message", "-p", "#{pane_id}"]).trim() == pane).then_some(())
    });

    // One without a pane is attached in a new window.
    tmux.run(&["send-keys", "-t", &pane, "Escape"]);
    await_status(&tmux, "2 idle");
    muster.send(&["--to", "headless", "Please greet the world politely in hello.py"]);
    await_status(&tmux, "1 asks · 1 idle");
    tmux.run(&["run-shell", root().join("scripts/tmux/next").to_str().unwrap()]);
    tmux.await_text("Do you want to");
}
