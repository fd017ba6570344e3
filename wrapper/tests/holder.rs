//! A real holder, spoken to as observers and clients do: it starts another program in the place of the one that runs, and
//! types only what was decided with all output in sight.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use wire::place::Place;
use wire::session::Exit;
use wire::{SessionId, UnixMillis};
use wrapper::control::{Channel, FromHolder, Offer, Relaunch, Spec, ToHolder, Type, Unchanged};
use wrapper::recording::{Begun, Reader, Record};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

/// A session of its own place, headless.
struct Session {
    home: TempDir,
    holder: Child,
    channel: Channel,
}

impl Session {
    fn start(argv: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let place = place(home.path());
        place.create().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let holder = Command::new(env!("CARGO_BIN_EXE_wrap"))
            .arg("holder")
            .env("MUSTER_HOME", home.path())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut channel = Channel::new(ours).unwrap();
        let spec = Spec {
            role: None,
            caps: Vec::new(),
            pool: None,
            session: "s1".into(),
            name: "s1".into(),
            agent: "any".into(),
            argv: words(argv),
            injected: None,
            telemetry: Default::default(),
            dir: home.path().as_os_str().as_bytes().to_vec(),
            size: (80, 24),
            started: UnixMillis(1),
            record_input: false,
            no_server: true,
            headless: true,
            fixed: false,
            watched: false,
        };
        channel.send(&ToHolder::Start(Box::new(spec), None)).unwrap();
        assert!(matches!(channel.wait(PATIENCE).unwrap(), FromHolder::Started));
        Self { home, holder, channel }
    }

    fn relaunch(&mut self, argv: &[&str], dir: &Path, env: &[(&str, &str)]) {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let relaunch = Relaunch { argv: words(argv), dir: dir.as_os_str().as_bytes().to_vec(), env };
        self.channel.send(&ToHolder::Relaunch(relaunch)).unwrap();
    }

    /// Waits until the recording holds what is looked for.
    fn until(&self, what: impl Fn(&[Record]) -> bool) {
        for _ in 0..6_000 {
            if what(&self.records()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it never came: {:?}", self.records());
    }

    fn records(&self) -> Vec<Record> {
        let folder = place(self.home.path()).session(&SessionId("s1".into()));
        Reader::open(&folder).map_while(Result::ok).map(|moment| moment.record).collect()
    }

    /// Types if nothing has happened since then; why it was not done, and what holds now.
    fn type_if(&mut self, only_if: Unchanged) -> (Option<String>, Unchanged) {
        let request = Type { id: 1, bytes: b"x".to_vec(), only_if: Some(only_if), person: false };
        self.channel.send(&ToHolder::Type(request)).unwrap();
        loop {
            if let FromHolder::Typed { refused, now, .. } = self.channel.wait(PATIENCE).unwrap() {
                return (refused, now);
            }
        }
    }

    /// Waits for the end of the session.
    fn exit(&mut self) -> Exit {
        loop {
            if let FromHolder::Exited(exit) = self.channel.wait(PATIENCE).unwrap() {
                self.holder.wait().unwrap();
                return exit;
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn place(home: &Path) -> Place {
    Place::find(|name| (name == "MUSTER_HOME").then(|| home.as_os_str().to_owned())).unwrap()
}

fn words(argv: &[&str]) -> Vec<Vec<u8>> {
    argv.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn output(records: &[Record]) -> String {
    let bytes = records.iter().filter_map(|record| match record {
        Record::Output(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    String::from_utf8_lossy(&bytes.collect::<Vec<_>>().concat()).into_owned()
}

fn exits(records: &[Record]) -> usize {
    records.iter().filter(|record| matches!(record, Record::Exit(_))).count()
}

#[test]
fn another_program_takes_the_place_of_the_one_that_runs() {
    let mut session = Session::start(&[
        "sh",
        "-c",
        "echo first; trap 'echo bye; exit 3' TERM; while :; do sleep 0.1; done",
    ]);
    session.until(|records| output(records).contains("first"));
    let dir = session.home.path().canonicalize().unwrap().join("elsewhere");
    std::fs::create_dir(&dir).unwrap();
    let script = "echo second $WORD in $(pwd); tty >/dev/null && echo on a terminal; read line; exit 5";
    session.relaunch(&["sh", "-c", script], &dir, &[("WORD", "told")]);
    session.until(|records| output(records).contains("on a terminal"));
    let records = session.records();
    let text = output(&records);
    assert!(text.find("bye").unwrap() < text.find("second told in").unwrap(), "{text}");
    assert!(text.contains(dir.to_str().unwrap()), "{text}");
    assert_eq!(exits(&records), 0, "the end of the first is not the end of the session");
    let begun = records.iter().find_map(|record| match record {
        Record::Relaunched(begun) => Some((**begun).clone()),
        _ => None,
    });
    let Begun { pid, dir: told, env } = begun.unwrap();
    assert!(pid > 0);
    assert_eq!((PathBuf::from(told), env), (dir, vec!["WORD".to_owned()]));
    session.channel.send(&ToHolder::Reply(b"\r".to_vec())).unwrap();
    assert_eq!(session.exit(), Exit::Code { code: 5 });
    assert_eq!(exits(&session.records()), 1);
}

#[test]
fn a_program_that_does_not_heed_the_request_to_end_is_killed() {
    let mut session = Session::start(&["sh", "-c", "trap '' TERM; echo first; while :; do sleep 0.1; done"]);
    session.until(|records| output(records).contains("first"));
    let dir = session.home.path().to_owned();
    session.relaunch(&["sh", "-c", "echo second; exit 0"], &dir, &[]);
    assert_eq!(session.exit(), Exit::Code { code: 0 });
    assert!(output(&session.records()).contains("second"));
}

#[test]
fn a_session_whose_next_program_cannot_be_started_ends_as_a_shell_would_say() {
    let mut session = Session::start(&["sleep", "600"]);
    let dir = session.home.path().to_owned();
    session.relaunch(&["/nothing/there"], &dir, &[]);
    assert_eq!(session.exit(), Exit::Code { code: 127 });
    assert_eq!(exits(&session.records()), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_is_just_being_started_and_holds_the_old_terminal_does_not_end_the_session() {
    use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
    let mut session = Session::start(&["sleep", "600"]);
    let holder = pidfd_open(Pid::from_child(&session.holder), PidfdFlags::empty()).unwrap();
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", session.holder.id())).unwrap();
    let masters = descriptors.filter_map(|entry| {
        let path = entry.unwrap().path();
        let is_master = std::fs::read_link(&path).is_ok_and(|to| to.ends_with("ptmx"));
        is_master.then(|| path.file_name()?.to_str()?.parse().ok()).flatten()
    });
    // As a child between fork and exec does.
    let copies = masters.map(|fd| pidfd_getfd(&holder, fd, PidfdGetfdFlags::empty()));
    let Ok(copies) = copies.collect::<Result<Vec<OwnedFd>, _>>() else {
        eprintln!("not tried: no process may have another's descriptors here");
        return;
    };
    assert_eq!(copies.len(), 1);
    let dir = session.home.path().to_owned();
    session.relaunch(&["sh", "-c", "exit 5"], &dir, &[]);
    let let_go = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        drop(copies);
    });
    assert_eq!(session.exit(), Exit::Code { code: 5 });
    let_go.join().unwrap();
}

#[test]
fn a45_keeping_the_keyboard_while_a_relaunch_is_under_way_ends_no_session() {
    let ends_when_told = "trap 'echo told; until [ -e go ]; do sleep 0.1; done; exit 0' TERM; echo first; \
                          while :; do sleep 0.1; done";
    let mut session = Session::start(&["sh", "-c", ends_when_told]);
    session.until(|records| output(records).contains("first"));
    let ((from_us, mut keys), (_shown, to_us)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let offer = Offer { size: None, input_tty: false, own_keys: true, pane: None, tmux: None };
    session.channel.send_with(&ToHolder::Attach(offer), &[from_us.as_fd(), to_us.as_fd()]).unwrap();
    session.channel.send(&ToHolder::Continue).unwrap();
    let dir = session.home.path().to_owned();
    session.relaunch(&["sh", "-c", "echo second; exit 5"], &dir, &[]);
    session.until(|records| output(records).contains("told"));
    keys.write_all(b"\x1ck").unwrap();
    session.until(|records| records.contains(&Record::Kept(true)));
    std::fs::write(dir.join("go"), "").unwrap();
    assert_eq!(
        session.exit(),
        Exit::Code { code: 5 },
        "the program was ended for another one: that one runs"
    );
}

#[test]
fn a37_nothing_is_typed_while_the_program_has_written_what_waits_behind_a_slow_terminal() {
    let mut session = Session::start(&["sh", "-c", "yes | head -c 2000000; cat"]);
    let ((from_us, _keys), (_shown, to_us)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let offer = Offer { size: None, input_tty: false, own_keys: true, pane: None, tmux: None };
    session.channel.send_with(&ToHolder::Attach(offer), &[from_us.as_fd(), to_us.as_fd()]).unwrap();
    session.channel.send(&ToHolder::Continue).unwrap();
    // Nobody reads what is shown: sooner or later nothing moves, and the program still has something to say.
    let (mut last, mut still) = (Unchanged { output: u64::MAX, keys: 0 }, 0);
    while still < 20 {
        let (refused, now) = session.type_if(Unchanged { output: u64::MAX, ..last });
        assert!(refused.is_some());
        still = if now == last { still + 1 } else { 0 };
        last = now;
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(last.output < 2_000_000, "the terminal holds the program up");
    let (refused, _) = session.type_if(last);
    assert!(refused.is_some(), "{last:?}");
}
