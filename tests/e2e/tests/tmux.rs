//! The tmux plugin, in a real tmux: wrap in a window, counts in the status line, the jump to who needs the user.
#![allow(clippy::unwrap_used)]

use e2e::tmux::Tmux;
use e2e::{Muster, Terminal, program, root, wait_for};
use serde_json::Value;

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
    let project = muster.ready("headless");
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
    let mark = |name: &str| tmux.run(&["show-option", "-pqv", "-t", &pane, name]).trim().to_owned();
    assert_eq!((mark("@muster_session"), mark("@muster_state")), ("windowed".to_owned(), "idle".to_owned()));

    muster.send(&["--to", "windowed", "Please greet the world politely in hello.py"]);
    await_status(&tmux, "1 asks · 1 idle");
    assert_eq!(mark("@muster_state"), "asks");
    tmux.run(&["run-shell", "assign tmux next"]);
    wait_for("the jump to the pane", || {
        (tmux.run(&["display-message", "-p", "#{pane_id}"]).trim() == pane).then_some(())
    });

    // One without a pane is attached in a new window.
    tmux.run(&["send-keys", "-t", &pane, "Escape"]);
    await_status(&tmux, "2 idle");
    muster.send(&["--to", "headless", "Please greet the world politely in hello.py"]);
    await_status(&tmux, "1 asks · 1 idle");
    tmux.run(&["run-shell", "assign tmux next"]);
    tmux.await_text("Do you want to");
}

#[test]
fn a_selection_and_a_typed_prompt_go_to_the_best_session() {
    let muster = Muster::new();
    muster.ready("best");
    let tmux = start(&muster);
    // What copy mode does with a selection.
    let said = "Please greet the world politely in hello.py #(touch formatted)";
    std::fs::write(muster.folder().join("selection"), said).unwrap();
    let pipe = format!("'{}' < selection", root().join("scripts/tmux/send").display());
    tmux.run(&["run-shell", &format!("cd '{}' && {pipe}", muster.folder().display())]);
    muster.await_state("best", "waiting_permission");
    assert_eq!(muster.prompt(1)["prompt"]["asked"]["text"], said);

    // What the popup does with what is typed into it.
    let ask = format!("'{}'", root().join("scripts/tmux/ask").display());
    tmux.run(&["new-window", &ask]);
    tmux.await_text("prompt:");
    let typed = "say \"hi\"; touch typed $(touch typed)";
    tmux.run(&["send-keys", "-l", typed]);
    tmux.keys(&["Enter"]);
    let second = wait_for("the second prompt", || muster.try_prompt(2));
    assert_eq!(second["prompt"]["asked"]["text"], typed);
    assert!(!muster.folder().join("typed").exists() && !muster.folder().join("formatted").exists());
}

/// A user's terminal that shows this tmux.
fn attach(tmux: &Tmux) -> Terminal {
    let mut attach = std::process::Command::new("tmux");
    attach.args(["-S", tmux.socket(), "attach"]).env_remove("TMUX");
    let terminal = Terminal::run(&attach);
    wait_for("tmux to be shown", || (!tmux.run(&["list-clients"]).is_empty()).then_some(()));
    terminal
}

#[test]
fn the_keys_do_what_the_help_says_and_borders_say_the_state() {
    let muster = Muster::new();
    muster.ready("best");
    let tmux = start(&muster);
    tmux.run(&["set-option", "-g", "@muster-borders", "on"]);
    let plugin = root().join("scripts/tmux/muster.tmux");
    tmux.run(&["run-shell", plugin.to_str().unwrap()]);
    await_status(&tmux, "1 idle");
    let mut user = attach(&tmux);

    // The selection: what stands on the first line, from its beginning to its end.
    let said = "Please greet the world politely in hello.py";
    tmux.run(&["send-keys", "-l", &format!("clear; printf '{said}\\n'")]);
    tmux.keys(&["Enter"]);
    wait_for("the line", || tmux.screen().starts_with(said).then_some(()));
    user.write(b"\x02[");
    wait_for("copy mode", || {
        (tmux.run(&["display-message", "-p", "#{pane_in_mode}"]).trim() == "1").then_some(())
    });
    tmux.run(&["send-keys", "-X", "history-top"]);
    tmux.run(&["send-keys", "-X", "start-of-line"]);
    tmux.run(&["send-keys", "-X", "begin-selection"]);
    tmux.run(&["send-keys", "-X", "end-of-line"]);
    user.write(b"S");
    let prompt = wait_for("the prompt", || muster.try_prompt(1));
    assert_eq!(prompt["prompt"]["asked"]["text"].as_str().unwrap().trim(), said);

    // The jump: the session has no pane yet, and gets a window.
    muster.await_state("best", "waiting_permission");
    await_status(&tmux, "1 asks");
    user.write(b"\x02N");
    tmux.await_text("Do you want to");
    let border = wait_for("the border", || {
        let told = tmux.run(&["display-message", "-p", "#{E:pane-border-format}"]);
        told.contains("best: asks").then_some(told)
    });
    assert!(border.contains("#[fg=yellow]"), "{border}");
    assert_eq!(tmux.run(&["show-option", "-gv", "pane-border-status"]).trim(), "top");

    // The inbox, over what is shown.
    user.write(b"\x02A");
    user.await_text("Inbox 1");
    user.write(b"Q");
    user.close();
}

#[test]
fn an_old_tmux_is_told_what_is_needed_and_gets_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let fake = folder.path().join("tmux");
    // What it is asked for its version it tells; everything else it notes.
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'display-message -p #{{version}}' ] && echo 3.2a || echo \"$*\" >> '{}'\n",
        told.display()
    );
    std::fs::write(&fake, script).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let plugin = root().join("scripts/tmux/muster.tmux");
    let status = std::process::Command::new("bash").arg(plugin).env("PATH", path).status().unwrap();
    assert!(status.success());
    let told = std::fs::read_to_string(told).unwrap();
    assert_eq!(told, "display-message Muster needs tmux 3.3 or newer; this server is 3.2a\n");
}

#[test]
fn the_marks_go_with_the_server_and_one_process_follows_for_each_tmux() {
    let muster = Muster::new();
    let project = muster.project("p");
    muster.scripted("headless", &project, &[]);
    let tmux = start(&muster);
    await_status(&tmux, "1 idle");
    // A second one finds that it has nothing to do.
    assert_eq!(assign(&muster, &tmux, &["follow"]).0, Some(0));
    muster.ok("assigner", &["stop"]);
    await_status(&tmux, "no server");
    muster.ok("assign", &["sessions"]);
    await_status(&tmux, "1 idle");
}

#[test]
fn a_fleet_is_opened_from_a_file_and_what_runs_is_left_alone() {
    let muster = Muster::new();
    let (tmux, _) = bare(&muster);
    let project = muster.project("p");
    let file = muster.folder().join("fleet.toml");
    let written = |text: &str| std::fs::write(&file, text).unwrap();
    let open = || assign(&muster, &tmux, &["open", file.to_str().unwrap(), "--json"]);
    written("[[window]]\nname = '#(touch formatted)'\n[[window.pane]]\nname = 'a'\n");
    let (code, _, why) = open();
    assert_eq!(code, Some(2));
    assert!(why.contains("line 2") && why.contains("line 3") && why.contains("nothing was opened"), "{why}");
    let fleet = "[[window]]\nname = 'work'\nlayout = 'even-vertical'\n[[window.pane]]\nname = 'one'\ndir = 'p'\n\
                 command = ['cat']\nrole = 'worker'\n[[window.pane]]\nname = 'two'\ncommand = ['cat']\n";
    written(&fleet.replace("'p'", "'nowhere'"));
    assert_eq!(open().0, Some(2));
    assert_eq!(panes(&muster, &tmux).len(), 2, "nothing was begun");
    written(fleet);
    let (code, told, why) = open();
    assert_eq!((code, told.lines().count()), (Some(0), 2), "{why}");
    let both = || {
        let panes = panes(&muster, &tmux);
        panes.iter().filter(|p| p["session"] == "one" || p["session"] == "two").count() == 2
    };
    wait_for("both to be shown", || both().then_some(()));
    assert_eq!(muster.live("one").unwrap()["dir"], project.to_str().unwrap());
    assert_eq!(open().1, "", "all of it is open");
    // One whose pane is gone is shown again, not started again.
    let pid = muster.live("two").unwrap()["pid"].clone();
    let pane = muster.live("two").unwrap()["pane"].as_str().unwrap().to_owned();
    tmux.run(&["kill-pane", "-t", &pane]);
    wait_for("it to be let go", || muster.live("two").filter(|s| s["attached"] == false));
    assert_eq!(open().1.lines().count(), 1);
    wait_for("it to be shown again", || both().then_some(()));
    assert_eq!(muster.live("two").unwrap()["pid"], pid);
    assert!(!muster.folder().join("formatted").exists());
}

#[test]
fn a_panes_command_is_run_anew_under_wrap_after_a_yes() {
    let muster = Muster::new();
    let (tmux, pane) = bare(&muster);
    assert_eq!(assign(&muster, &tmux, &["wrap", &pane]).0, Some(2), "nobody is there to be asked");
    wait_for("cat", || {
        panes(&muster, &tmux).into_iter().find(|p| p["pane"] == *pane && p["command"] == "cat")
    });
    let (code, _, why) = assign(&muster, &tmux, &["wrap", &pane, "--yes"]);
    assert_eq!(code, Some(0), "{why}");
    wait_for("the session in its pane", || {
        panes(&muster, &tmux).into_iter().find(|p| p["pane"] == *pane && p["session"] == "cat-1")
    });
    assert_eq!(assign(&muster, &tmux, &["wrap", &pane, "--yes"]).0, Some(5), "it is a session already");
}

/// `assign tmux` over the test's own tmux: the exit code, and what it prints.
fn assign(muster: &Muster, tmux: &Tmux, arguments: &[&str]) -> (Option<i32>, String, String) {
    let out = muster.run("assign", &[&["tmux", "--socket", tmux.socket()], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

fn panes(muster: &Muster, tmux: &Tmux) -> Vec<Value> {
    let (_, told, _) = assign(muster, tmux, &["ls", "--json"]);
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A tmux whose first pane shows what is typed into it, beginning where a folder's name looks like a pane.
fn bare(muster: &Muster) -> (Tmux, String) {
    let folder = muster.folder().join("x\n%9 #(touch formatted);");
    std::fs::create_dir(&folder).unwrap();
    let home = muster.home();
    let env = [("MUSTER_HOME", home.as_path()), ("MUSTER_PORT", "0".as_ref())];
    let tmux = Tmux::start(muster.folder(), &env, "exec cat").expect("tmux is needed for this test");
    let folder = format!("{}\\;", folder.to_str().unwrap().trim_end_matches(';'));
    let command = format!("cd '{}' && exec cat", folder.replace("\\;", ";"));
    let pane = tmux.run(&["new-window", "-d", "-P", "-F", "#{pane_id}", &command]);
    (tmux, pane.trim().to_owned())
}

#[test]
fn panes_are_listed_whatever_their_folders_are_called() {
    let muster = Muster::new();
    let (tmux, pane) = bare(&muster);
    let found = wait_for("the pane in its folder", || {
        panes(&muster, &tmux).into_iter().find(|p| {
            p["pane"] == pane.as_str() && p["command"] == "cat" && p["dir"].as_str().unwrap().contains('\n')
        })
    });
    assert_eq!((&found["session"], &found["may_type"]), (&Value::Null, &Value::Bool(false)));
    assert_eq!(panes(&muster, &tmux).len(), 2);
    let (_, table, _) = assign(&muster, &tmux, &["ls"]);
    assert_eq!(table.lines().filter(|line| line.trim_start().starts_with('%')).count(), 2, "{table}");
    assert!(!muster.folder().join("formatted").exists());
}

#[test]
fn a_pane_is_typed_into_only_when_that_was_allowed_and_only_one_plain_line() {
    let muster = Muster::new();
    let (tmux, pane) = bare(&muster);
    let shown = || assign(&muster, &tmux, &["capture", &pane]).1;
    let (code, _, why) = assign(&muster, &tmux, &["send", &pane, "hello"]);
    assert_eq!(code, Some(5), "{why}");
    assert!(why.contains("assign tmux allow"), "{why}");
    assert_eq!(assign(&muster, &tmux, &["allow", &pane]).0, Some(0));
    for bad in ["a\nb", "\u{1b}[201~\r", "a\u{3}"] {
        assert_eq!(assign(&muster, &tmux, &["send", &pane, bad]).0, Some(2), "{bad:?}");
    }
    let line = "#(touch formatted) %% $HOME 'größer' ;";
    assert_eq!(assign(&muster, &tmux, &["send", &pane, line]).0, Some(0));
    wait_for("the line to be typed", || shown().contains(line).then_some(()));
    assert_eq!(shown().matches(line).count(), 1, "the terminal's echo, and no Enter: {}", shown());
    assert_eq!(assign(&muster, &tmux, &["send", &pane, "!", "--enter"]).0, Some(0));
    wait_for("the line to come back", || (shown().matches(line).count() == 2).then_some(()));
    assert!(tmux.run(&["list-buffers"]).is_empty(), "no buffer is left behind");
    assert_eq!(assign(&muster, &tmux, &["allow", &pane, "--not"]).0, Some(0));
    assert_eq!(assign(&muster, &tmux, &["send", &pane, "hello"]).0, Some(5));

    // In the user's own copy mode nothing is pressed.
    assign(&muster, &tmux, &["allow", &pane]);
    tmux.run(&["copy-mode", "-t", &pane]);
    assert_eq!(assign(&muster, &tmux, &["send", &pane, "hello"]).0, Some(5));
    assert!(!muster.folder().join("formatted").exists());
}

#[test]
fn a_window_of_ours_is_known_as_its_session_and_outlives_its_pane() {
    let muster = Muster::new();
    let (tmux, _) = bare(&muster);
    let project = muster.project("p");
    let (code, pane, why) =
        assign(&muster, &tmux, &["new", "--name", "api", "-C", project.to_str().unwrap(), "--", "cat", ";"]);
    assert_eq!(code, Some(0), "{why}");
    let pane = pane.trim().to_owned();
    // There is no file `;`. A pane that failed stays and says why, above tmux's own word.
    wait_for("the reason to be seen", || {
        assign(&muster, &tmux, &["capture", &pane, "-n", "9"]).1.contains("No such file").then_some(())
    });
    assert_eq!(assign(&muster, &tmux, &["kill", &pane, "--yes"]).0, Some(0));
    let (code, pane, why) =
        assign(&muster, &tmux, &["new", "--name", "api", "-C", project.to_str().unwrap(), "--", "cat"]);
    assert_eq!(code, Some(0), "{why}");
    let pane = pane.trim().to_owned();
    wait_for("the session to be seen in its pane", || {
        panes(&muster, &tmux).into_iter().find(|p| p["pane"] == pane.as_str() && p["session"] == "api")
    });
    let (code, _, why) = assign(&muster, &tmux, &["send", &pane, "hello"]);
    assert_eq!(code, Some(5));
    assert!(why.contains("assign --to api"), "{why}");
    assert_eq!(assign(&muster, &tmux, &["kill", &pane]).0, Some(2), "nobody is there to be asked");
    let (_, told, _) = assign(&muster, &tmux, &["kill", &pane, "--yes"]);
    assert!(told.contains("wrap attach api"), "{told}");
    assert_eq!(assign(&muster, &tmux, &["capture", &pane]).0, Some(4));
    wait_for("the session to go on without it", || muster.live("api").filter(|s| s["attached"] == false));
    assert_eq!(assign(&muster, &tmux, &["new", "--name", "#(x)", "cat"]).0, Some(2));
}

#[test]
fn without_tmux_it_is_said_what_to_do() {
    let muster = Muster::new();
    let out = muster.run("assign", &["tmux", "--socket", "/nowhere/tmux.sock", "ls"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("start tmux"), "{out:?}");
}

/// A scripted agent in a pane of its own, without `wrap`.
fn unwrapped(muster: &Muster, tmux: &Tmux, project: &std::path::Path) -> String {
    let agent = program("scripted-agent");
    let scripts = root().join("fixtures/scripts");
    let command =
        format!("cd '{}' && exec '{}' --scripts '{}'", project.display(), agent.display(), scripts.display());
    let pane = tmux.run(&["new-window", "-d", "-P", "-F", "#{pane_id}", &command]).trim().to_owned();
    wait_for("the agent in its pane", || {
        panes(muster, tmux).into_iter().find(|p| p["pane"] == *pane && p["command"] == "scripted-agent")
    });
    pane
}

#[test]
fn an_adopted_pane_is_known_and_never_typed_into() {
    let muster = Muster::new();
    let (tmux, _) = bare(&muster);
    let pane = unwrapped(&muster, &tmux, &muster.project("p"));
    let (code, _, why) = assign(&muster, &tmux, &["adopt", &pane, "--name", "seen"]);
    assert_eq!(code, Some(0), "{why}");
    muster.await_state("seen", "idle");
    let found = panes(&muster, &tmux).into_iter().find(|p| p["pane"] == *pane).unwrap();
    assert_eq!(found["adopted"], "seen");
    assert_eq!(assign(&muster, &tmux, &["adopt", &pane]).0, Some(5), "tmux has one pipe for each pane");

    // The router leaves it alone; and whoever lets prompts come all the same is told why none is typed.
    let said = "Please greet the world politely in hello.py";
    let id = muster.send(&["--to", "seen", said]);
    assert_eq!(muster.prompt(id)["prompt"]["state"], "pending");
    muster.ok("assign", &["resume", "seen"]);
    wait_for("the hold", || {
        let prompt = muster.prompt(id);
        prompt["prompt"]["hold"]["text"].as_str()?.contains("only watched").then_some(())
    });
    assert!(!tmux.run(&["capture-pane", "-p", "-t", &pane]).contains("greet"));

    // What the user does there is seen.
    tmux.run(&["send-keys", "-t", &pane, "-l", said]);
    // As it is for real agents, an Enter that comes in one piece with text is a part of it.
    wait_for("the text to be shown", || {
        tmux.run(&["capture-pane", "-p", "-t", &pane]).contains("greet").then_some(())
    });
    tmux.run(&["send-keys", "-t", &pane, "Enter"]);
    muster.await_state("seen", "waiting_permission");
    tmux.run(&["kill-pane", "-t", &pane]);
    wait_for("the session to end with its pane", || muster.live("seen").is_none().then_some(()));
}

#[test]
fn an_adopted_pane_gets_prompts_when_that_is_allowed() {
    let muster = Muster::new();
    let (tmux, _) = bare(&muster);
    let pane = unwrapped(&muster, &tmux, &muster.project("p"));
    let (code, _, why) = assign(&muster, &tmux, &["adopt", &pane, "--name", "used", "--may-type"]);
    assert_eq!(code, Some(0), "{why}");
    muster.await_state("used", "idle");
    let id = muster.send(&["--to", "used", "Please greet the world politely in hello.py"]);
    wait_for("the prompt to be done, each time with a yes", || {
        // One that has just appeared, or is gone, is not answered.
        muster.run("assign", &["approve", "used"]);
        (muster.prompt(id)["prompt"]["state"] == "completed").then_some(())
    });
}
