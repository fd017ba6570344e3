//! A wrapped program behaves as it does without `wrap`, and outlives everything but itself.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Stdio};

use e2e::drill::disk::{self, Small};
use e2e::tmux::Tmux;
use e2e::{Muster, Terminal, is_alive, signal, wait_for};
use rustix::process::Signal;

/// `wrap` with arguments, speaking to no server.
fn wrap(muster: &Muster, arguments: &[&str]) -> Command {
    let mut command = muster.command("wrap");
    command.env("MUSTER_NO_SERVER", "1").args(arguments);
    command
}

/// Makes folders of the place the user's alone, without which no program uses them.
fn private(muster: &Muster, folders: &[&str]) {
    use std::os::unix::fs::PermissionsExt;
    for folder in folders {
        std::fs::set_permissions(muster.home().join(folder), std::fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn g4_the_exit_status_is_the_programs_own() {
    let muster = Muster::new();
    let status = |arguments: &[&str]| wrap(&muster, arguments).output().unwrap().status.code();
    assert_eq!(status(&["true"]), Some(0));
    assert_eq!(status(&["sh", "-c", "exit 255"]), Some(255));
    assert_eq!(status(&["sh", "-c", "kill -TERM $$"]), Some(128 + 15));
    assert_eq!(status(&["sh", "-c", "kill -KILL $$"]), Some(128 + 9));
    assert_eq!(status(&["no-such-program"]), Some(127));
    assert_eq!(status(&["/"]), Some(126));
    assert_eq!(status(&["-C", "/no/such/folder", "true"]), Some(125));
}

#[test]
fn every_key_reaches_the_program() {
    let muster = Muster::new();
    let read = "stty raw -echo; echo ready; head -c 256 | od -An -v -tx1; stty sane";
    let mut terminal = Terminal::run(&wrap(&muster, &["sh", "-c", read]));
    terminal.await_text("ready");
    let all: Vec<u8> = (0..=255).collect();
    terminal.write(&all);
    let got = wait_for("all keys", || {
        let text = terminal.text();
        let (_, dump) = text.split_once("ready")?;
        let got: Vec<u8> = dump.split_whitespace().filter_map(|w| u8::from_str_radix(w, 16).ok()).collect();
        (got.len() >= all.len()).then_some(got)
    });
    assert_eq!(got, all);
    assert_eq!(terminal.await_end(), 0);
}

#[test]
fn a_new_window_size_reaches_the_program() {
    let muster = Muster::new();
    let watch = "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done";
    let terminal = Terminal::run(&wrap(&muster, &["sh", "-c", watch]));
    terminal.await_text("30 100");
    terminal.resize(71, 23);
    terminal.await_text("23 71");
}

#[test]
fn pipes_stay_pipes() {
    let muster = Muster::new();
    let mut child = wrap(&muster, &["cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    use std::io::Write;
    child.stdin.take().unwrap().write_all(b"one\ntwo\n").unwrap();
    assert_eq!(String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout), "one\ntwo\n");
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_back_and_fg_goes_on() {
    let muster = Muster::new();
    let home = muster.home();
    let env = [("MUSTER_HOME", home.as_path()), ("MUSTER_NO_SERVER", "1".as_ref())];
    let Some(tmux) = Tmux::start(muster.folder(), &env, "PS1='outer$ ' bash --norc --noprofile") else {
        panic!("tmux is needed for this test")
    };
    tmux.await_text("outer$");
    let wrap = e2e::program("wrap");
    tmux.keys(&[
        &format!("{} sh -c 'echo begun; read line; echo got $line'; echo status $?", wrap.display()),
        "Enter",
    ]);
    tmux.await_text("\nbegun");
    tmux.keys(&["C-z"]);
    tmux.await_text("Stopped");
    tmux.keys(&["echo back in the $((1 + 1))nd shell", "Enter"]);
    tmux.await_text("back in the 2nd shell");
    tmux.keys(&["fg", "Enter"]);
    tmux.keys(&["hello", "Enter"]);
    tmux.await_text("got hello");
    // bash counts the pipeline's status when it was stopped; what matters is that the terminal is the shell's again.
    tmux.keys(&["stty -a | tr ' ;' '\\n\\n' | grep -c -x -e icanon -e echo", "Enter"]);
    tmux.await_text("2");
}

#[test]
fn g2_killing_the_observer_is_not_noticed_and_heals() {
    let muster = Muster::new();
    let mut terminal = Terminal::run(&wrap(&muster, &["--name", "s", "cat"]));
    let observer = |not: i64| {
        wait_for("an observer", || {
            muster.live("s")?["observer"].as_i64().filter(|pid| *pid != not && is_alive(*pid))
        })
    };
    let mut pid = observer(0);
    for round in 0..3 {
        signal(pid, Signal::KILL);
        terminal.write(format!("round {round}\r").as_bytes());
        terminal.await_text(&format!("round {round}\r\nround {round}"));
        pid = observer(pid);
    }
    terminal.write(&[4]);
    assert_eq!(terminal.await_end(), 0);
}

#[test]
fn an_observer_whose_place_was_removed_ends_with_its_session() {
    let muster = Muster::new();
    let socket = muster.home().join("run/assigner.sock");
    // What stands where the server's socket would be keeps a server from being started, and an end from being told.
    std::fs::create_dir_all(socket).unwrap();
    private(&muster, &["", "run"]);
    muster.ok("wrap", &["-d", "--name", "s", "cat"]);
    let live = muster.live("s").unwrap();
    let observer = wait_for("the observer", || live["observer"].as_i64().filter(|pid| is_alive(*pid)));
    let state = muster.home().join("state");
    std::fs::rename(&state, muster.folder().join("removed")).unwrap();
    signal(live["holder"].as_i64().unwrap(), Signal::KILL);
    wait_for("the observer's end", || (!is_alive(observer)).then_some(()));
}

#[test]
fn a_session_is_left_and_found_again() {
    let muster = Muster::new();
    let mut terminal = Terminal::run(&wrap(
        &muster,
        &["--name", "s", "sh", "-c", "echo first; while read l; do echo got $l; done"],
    ));
    terminal.await_text("first");
    terminal.write(b"\x1c");
    terminal.write(b"d");
    terminal.await_text("detached");
    assert_eq!(terminal.await_end(), 0);
    assert_eq!(muster.live("s").unwrap()["attached"], false);

    // What the terminal replies to a program may come in one read with the keys.
    let mut again = Terminal::run(&wrap(&muster, &["attach", "s"]));
    again.await_text("first");
    again.write(b"\x1b[?1;2c\x1cd");
    again.await_text("detached");
    assert_eq!(again.await_end(), 0);

    let mut again = Terminal::run(&wrap(&muster, &["attach", "s"]));
    again.await_text("first");
    again.write(b"\x15more\r");
    again.await_text("got more");
    again.close();
    wait_for("the session to be left", || (muster.live("s")?["attached"] == false).then_some(()));

    let mut taken = Terminal::run(&wrap(&muster, &["attach", "s"]));
    taken.await_text("got more");
    let other = Terminal::run(&wrap(&muster, &["attach", "s"]));
    taken.await_text("another terminal took over");
    assert_eq!(taken.await_end(), 0);
    other.await_text("got more");
}

#[test]
fn sessions_run_headless_have_names_and_end_when_told() {
    let muster = Muster::new();
    let run = |arguments: &[&str]| wrap(&muster, arguments).output().unwrap();
    assert_eq!(run(&["-d", "sleep", "1000"]).stdout, b"sleep-1\n");
    assert_eq!(run(&["-d", "sleep", "1000"]).stdout, b"sleep-2\n");
    let taken = run(&["-d", "--name", "sleep-1", "true"]);
    assert_eq!(taken.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("wrap ls"));
    muster.ok("wrap", &["kill", "sleep-1", "sleep-2"]);
    wait_for("the sessions' end", || muster.json("wrap", &["ls", "--json"]).is_empty().then_some(()));
    assert_eq!(run(&["kill", "sleep-1"]).status.code(), Some(125));
}

#[test]
fn a22_the_program_inherits_no_power_and_its_own_environment() {
    let muster = Muster::new();
    let mut command = wrap(&muster, &["sh", "-c", "umask; env"]);
    let out = command.env("MY_OWN", "variable").output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(text.contains("MY_OWN=variable"));
    let bare = Command::new("sh").args(["-c", "umask"]).output().unwrap();
    assert!(text.starts_with(&*String::from_utf8_lossy(&bare.stdout)), "the user's own file mask");
    let secret = "muster_tok_of-the-user";
    let mut with_server = muster.command("wrap");
    with_server.env("MUSTER_TOKEN", secret).args(["-d", "--name", "s", "sh", "-c", "env >seen; sleep 600"]);
    assert!(with_server.output().unwrap().status.success());
    wait_for("the session to reach the server that it started", || muster.session("s"));
    let seen = wait_for("the environment", || {
        std::fs::read_to_string(muster.folder().join("seen")).ok().filter(|seen| seen.ends_with('\n'))
    });
    let file = muster.home().join("run/assigner.json");
    let server: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let server = std::fs::read(format!("/proc/{}/environ", server["pid"])).unwrap();
    let server = String::from_utf8_lossy(&server).into_owned();
    for token in ["cli.token", "wrapper.token"] {
        let token = std::fs::read_to_string(muster.home().join("state").join(token)).unwrap();
        assert!(
            !text.contains(token.trim()) && !seen.contains(token.trim()) && !server.contains(token.trim())
        );
    }
    assert!(!seen.contains(secret) && !server.contains(secret), "{seen}\n{server}");
    assert!(seen.contains("MUSTER_SESSION=") && !server.contains("MUSTER_SESSION="), "{server}");
}

#[test]
fn a24_sockets_recordings_and_journals_are_the_users_alone() {
    use std::os::unix::fs::MetadataExt;
    let muster = Muster::new();
    wrap(&muster, &["-d", "--name", "s", "cat"]).output().unwrap();
    wait_for("the journal", || {
        let sessions = std::fs::read_dir(muster.home().join("state/sessions")).ok()?;
        sessions.flatten().any(|s| s.path().join("journal.jsonl").exists()).then_some(())
    });
    let mut folders = vec![muster.home()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = std::fs::symlink_metadata(&path).unwrap();
            assert_eq!(meta.mode() & 0o077, 0, "{}", path.display());
            if meta.is_dir() {
                folders.push(path);
            }
        }
    }
}

#[test]
fn a_recording_replays_as_the_session_went_and_so_does_its_export() {
    let muster = Muster::new();
    // The project is called like the session, and is where the commands are run.
    let project = muster.project("s");
    let agent = e2e::program("scripted-agent");
    let scripts = e2e::root().join("fixtures/scripts");
    let arguments = ["--name", "s", "-C", project.to_str().unwrap(), agent.to_str().unwrap(), "--scripts"];
    let mut terminal = Terminal::run(wrap(&muster, &arguments).arg(scripts));
    terminal.await_text("ready");
    let id = wait_for("the session", || muster.live("s"))["id"].as_str().unwrap().to_owned();
    terminal.write(b"What is the capital of France?");
    terminal.await_text("capital of France");
    terminal.write(b"\r");
    terminal.await_text("Paris");
    terminal.await_text("state=done");
    let early = muster.folder().join("early.cast");
    muster.ok("wrap", &["export", "s", "-o", early.to_str().unwrap()]);
    assert!(std::fs::read_to_string(early).unwrap().contains("Paris"));
    terminal.write(&[4]);
    assert_eq!(terminal.await_end(), 0);

    let what = |arguments: &[&str]| -> Vec<(String, String)> {
        let rows = muster.json("wrap", &[&["replay", "--jsonl"], arguments].concat());
        let word = |r: &serde_json::Value, name: &str| r[name].as_str().unwrap_or_default().to_owned();
        let row = |r: &serde_json::Value| match word(r, "type").as_str() {
            "state" => Some(("state".to_owned(), word(r, "state"))),
            "task" if r["event"] != "began" => Some((word(r, "event"), word(r, "answer"))),
            _ => None,
        };
        rows.iter().filter_map(row).collect()
    };
    let own = what(&[&id]);
    // When it was first idle depends on how soon the test typed.
    let turn: Vec<_> = own
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .filter(|r| r.1 != "idle" && r.1 != "starting")
        .collect();
    let expected = [("state", "busy"), ("completed", "The capital of France is Paris."), ("state", "exited")];
    assert_eq!(turn, expected, "{own:?}");

    let cast = muster.folder().join("s.cast");
    muster.ok("wrap", &["export", &id, "-o", cast.to_str().unwrap()]);
    assert_eq!(what(&["--agent", "scripted", cast.to_str().unwrap()]), own);
}

#[test]
fn without_a_server_the_agent_just_runs() {
    let muster = Muster::new();
    // A place where no server can be started, as its socket's folder is no folder.
    let mut command = muster.command("wrap");
    command.env("PATH", "/usr/bin:/bin").args(["sh", "-c", "echo runs"]);
    std::fs::create_dir_all(muster.home().join("state")).unwrap();
    private(&muster, &["", "state"]);
    std::fs::create_dir(muster.home().join("state/muster.db")).unwrap();
    assert_eq!(String::from_utf8_lossy(&command.output().unwrap().stdout), "runs\n");
}

#[test]
fn g9_a_full_disk_costs_the_recording_and_not_the_agent() {
    let muster = Muster::new();
    let home = muster.home();
    let Some(mounted) = Small::mount(&home, 3) else {
        eprintln!("not tried: a small file system can only be mounted by root");
        return;
    };
    let out = wrap(&muster, &["sh", "-c", "seq 1 2000000 | md5sum; seq 1 2000000; exit 5"]).output().unwrap();
    let full = Command::new("sh").args(["-c", "seq 1 2000000 | md5sum; seq 1 2000000"]).output().unwrap();
    drop(mounted);
    assert_eq!(out.status.code(), Some(5));
    assert!(out.stdout == full.stdout, "{} of {} bytes", out.stdout.len(), full.stdout.len());
}

#[test]
fn g3_g9_a_terminal_is_restored_although_what_it_showed_could_not_be_recorded() {
    for end in ["client", "detach", "itself"] {
        let muster = Muster::new();
        let home = muster.home();
        let Some(_mounted) = Small::mount(&home, 3) else {
            eprintln!("not tried: a small file system can only be mounted by root");
            return;
        };
        let full = muster.folder().join("full");
        let last = if end == "itself" { "exit 3" } else { "read forever" };
        let program = format!(
            "stty raw -echo; until [ -e {} ]; do sleep 0.05; done; seq 1 20000; printf '\\033[?1000h\\033[?25lready'; {last}",
            full.display()
        );
        let mut terminal = Terminal::run(&wrap(&muster, &["--name", "full", "sh", "-c", &program]));
        let live = wait_for("the session", || muster.live("full"));
        disk::fill(&home.join("ballast"), 0);
        std::fs::write(&full, "").unwrap();
        terminal.await_text("ready");
        match end {
            "client" => signal(terminal.pid(), Signal::KILL),
            "detach" => terminal.write(b"\x1cd"),
            _ => {}
        }
        wait_for("the terminal's restoration", || {
            let text = terminal.text();
            let after = text.split("ready").last()?;
            ["\x1b[?1000l", "\x1b[?25h"].iter().all(|undone| after.contains(undone)).then_some(())
        });
        signal(live["pid"].as_i64().unwrap(), Signal::KILL);
    }
}

#[test]
fn a52_g15_a_poisoned_session_that_died_does_not_crash_an_observer_at_every_start() {
    let muster = Muster::new();
    let poisoned = |name: &str, program: &str| {
        let mut command = muster.command("wrap");
        command.env("MUSTER_FAULT_POISON", "poison").args(["-d", "--name", name, "sh", "-c", program]);
        assert!(command.output().unwrap().status.success());
    };
    poisoned("dead", "printf 'poi''son\n'; sleep 600");
    let quarantined = || muster.session("dead").filter(|s| s["claim"]["rule"] == "observer.quarantined");
    wait_for("the output to be left alone", quarantined);
    let live = muster.live("dead").unwrap();
    // All at once, so that nobody is left who tells.
    signal(live["observer"].as_i64().unwrap(), Signal::STOP);
    for pid in ["holder", "pid", "observer"].map(|who| live[who].as_i64().unwrap()) {
        signal(pid, Signal::KILL);
    }
    let folder =
        muster.home().join("state/sessions").join(muster.session("dead").unwrap()["id"].as_str().unwrap());
    let told = || muster.session("dead").filter(|session| !session["exit"].is_null()).is_some();
    let crashes = || {
        std::fs::read_to_string(folder.join("observer.log"))
            .map_or(0, |log| log.matches("a test poisoned").count())
    };
    let before = crashes();
    // Each session that starts looks for such; while one is looked at, others let it be.
    for round in 0.. {
        assert!(round < 50, "the end is told in vain");
        poisoned(&format!("next{round}"), "true");
        let over = || muster.session(&format!("next{round}")).filter(|session| !session["exit"].is_null());
        wait_for("it to end", over);
        if told() {
            break;
        }
    }
    assert_eq!(crashes() - before, 3, "it is tried three times, and then left alone");
}
