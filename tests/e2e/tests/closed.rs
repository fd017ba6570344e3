//! What a session keeps to itself, and what has no say in it.
#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use e2e::{Muster, Terminal, wait_for};

/// All bytes that Muster keeps of its sessions.
fn kept(muster: &Muster) -> String {
    let (mut folders, mut kept) = (vec![muster.home().join("state")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => kept.extend(std::fs::read(entry.path()).unwrap()),
                _ => {}
            }
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[test]
fn a71_what_is_typed_is_recorded_only_when_asked_and_passwords_never() {
    // Typed where it is not shown: by a program that reads keys, and at a prompt for a password.
    let program = "stty raw -echo; echo keys; head -c 9 >/dev/null; stty sane -echo; echo password; read secret; \
                   stty echo; echo over; read last; exit 0";
    for (asked, recorded) in [(None, false), (Some("--record-input"), true)] {
        let muster = Muster::new();
        let mut command = muster.command("wrap");
        command.args(asked).args(["--name", "s", "sh", "-c", program]);
        let mut terminal = Terminal::run(&command);
        terminal.await_text("keys");
        terminal.write(b"plainkeys");
        terminal.await_text("password");
        terminal.write(b"hunter2-hidden\n");
        terminal.await_text("over");
        terminal.write(b"\n");
        assert_eq!(terminal.await_end(), 0);
        wait_for("the end to be told", || muster.session("s").filter(|s| !s["exit"].is_null()));
        let kept = kept(&muster);
        assert_eq!(kept.contains("plainkeys"), recorded, "{asked:?}");
        assert!(!kept.contains("hunter2"), "{asked:?}");
        assert!(kept.contains("over"), "what was shown is recorded");
    }
}

#[test]
fn a49_a_repository_configures_nothing() {
    let muster = Muster::new();
    let project = muster.project("evil");
    let plant = |path: &str, text: &str| {
        let path = project.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let configuration = "port = 1\nno-such-key = true\n[alerts]\nstuck_minutes = 1\n";
    let profile = "name = \"evil\"\ncommands = [\"sh\"]\n";
    for folder in ["", ".muster/", ".config/muster/", "muster/", "config/"] {
        plant(&format!("{folder}assigner.toml"), configuration);
        plant(
            &format!("{folder}policy.toml"),
            "[[rule]]\nname = 'all'\neffect = 'approve'\nactions = ['shell']\n",
        );
        plant(&format!("{folder}agents/evil.toml"), profile);
        plant(&format!("{folder}patterns/agents/evil.toml"), profile);
    }
    plant(".env", "MUSTER_TOKEN=evil\nMUSTER_HOME=/nowhere\n");
    let there = |name: &str, arguments: &[&str]| {
        let out = muster.command(name).args(arguments).current_dir(&project).output().unwrap();
        assert!(out.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    there("wrap", &["-d", "--name", "s", "sh", "-c", "sleep 600"]);
    let session = wait_for("the session", || muster.session("s"));
    assert_ne!(session["agent"], "evil");
    let origins = there("assigner", &["config", "show", "--origin"]);
    assert!(!origins.contains(project.to_str().unwrap()) && !origins.contains("no-such-key"), "{origins}");
    assert!(!there("wrap", &["agents"]).contains("evil"));
    assert!(!there("assign", &["policy", "show"]).contains("approve"));
    there("assign", &["status"]);
}

#[test]
fn a24_another_user_controls_no_session_even_where_files_would_let_them() {
    // Only root can be somebody else.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let muster = Muster::new();
    muster.ok("wrap", &["-d", "--name", "s", "cat"]);
    let id = wait_for("the session", || muster.session("s"))["id"].as_str().unwrap().to_owned();
    let run = muster.home().join("run");
    let socket = wait_for("its socket", || find(&run, &id));
    for folder in socket.ancestors().skip(1).take_while(|folder| folder.starts_with(muster.folder())) {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    let other = std::thread::spawn(move || {
        // Of this thread alone.
        rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65_534)).unwrap();
        let mut stream = UnixStream::connect(&socket).unwrap();
        // Whoever is let in waits for ever here: the holder speaks when it is spoken to.
        stream.read(&mut [0; 1]).unwrap_or(0)
    });
    assert_eq!(other.join().unwrap(), 0, "it hangs up");
    assert!(muster.live("s").is_some(), "and serves its own user");
}

/// A socket whose name holds these words.
fn find(folder: &Path, words: &str) -> Option<std::path::PathBuf> {
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = find(&path, words) {
                return Some(found);
            }
        } else if path.to_string_lossy().contains(words) {
            return Some(path);
        }
    }
    None
}
