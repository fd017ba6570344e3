//! What each command prints with `--json` is what `assign schema` says it is.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::peer::{Wrapper, claim};
use support::{Home, Server, wait_for};
use wire::UnixMillis;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::prompt::Outcome;
use wire::session::{Dialog, DialogKind, DialogOption, State};
use wire::wrapper::{Report, ToServer, ToWrapper};

/// Runs commands, and keeps what they print until it is held against their schemas: a peer does not wait for that.
struct Checker<'a> {
    home: &'a Home,
    printed: BTreeMap<String, Vec<String>>,
}

impl Checker<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_assign"));
        command.args(args).env("MUSTER_HOME", self.home.path()).env("MUSTER_NO_SERVER", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn schema(&self, name: &str) -> Value {
        let words: Vec<&str> = std::iter::once("schema").chain(name.split(' ')).collect();
        let output = self.command(&words).output().expect("assign runs");
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        serde_json::from_slice(&output.stdout).expect("a schema is JSON")
    }

    /// Keeps what was printed; it must be something.
    fn lines(&mut self, name: &str, text: &str) {
        assert!(!text.trim().is_empty(), "{name} prints nothing");
        self.printed.entry(name.to_owned()).or_default().extend(text.lines().map(str::to_owned));
    }

    /// Each line against the schema of its command.
    fn compare(&self) {
        for (name, lines) in &self.printed {
            let schema = self.schema(name);
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
            let validator = jsonschema::validator_for(&schema).unwrap_or_else(|e| panic!("{name}: {e}"));
            for line in lines {
                let value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}: {e}: {line}"));
                let faults: Vec<String> =
                    validator.iter_errors(&value).map(|e| format!("{e} at {}", e.instance_path())).collect();
                assert!(faults.is_empty(), "{name}: {faults:#?}\n{line}");
            }
        }
    }

    /// Runs a command to its end.
    fn check(&mut self, name: &str, args: &[&str]) {
        let child = self.command(args).arg("--json").spawn().expect("assign runs");
        self.ended(name, child);
    }

    fn ended(&mut self, name: &str, child: Child) {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        self.lines(name, &String::from_utf8(output.stdout).expect("it is text"));
    }

    /// The same for one whose words are its name.
    fn plain(&mut self, name: &str) {
        self.check(name, &name.split(' ').collect::<Vec<_>>());
    }

    /// What one that goes on has printed so far.
    fn stopped(&mut self, name: &str, mut child: Child) {
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        let mut text = String::new();
        child.stdout.take().expect("a pipe").read_to_string(&mut text).expect("it is text");
        // The last line may be cut.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        self.lines(name, whole);
    }
}

fn event(text: &str) -> Report {
    Report::Event {
        event: Event {
            at: UnixMillis(5),
            kind: EventKind::Error,
            severity: Severity::Error,
            origin: Origin::Tool,
            rule: "test".into(),
            text: text.into(),
            fields: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            offset: 7,
            fingerprint: "f".into(),
        },
    }
}

/// A dialog is open until it is answered.
fn ask(server: &Server, wrapper: &mut Wrapper, id: &str) {
    let option = |index, label: &str| DialogOption { index, label: label.into(), selected: index == 0 };
    let dialog = Dialog {
        id: id.into(),
        kind: DialogKind::Permission,
        title: "Run rm?".into(),
        body: "rm -rf build".into(),
        options: vec![option(0, "Yes"), option(1, "No")],
        answerable: true,
        request: None,
    };
    let state = Report::State { claim: claim(State::WaitingPermission), dialog: Some(dialog) };
    let seq = wrapper.report(state);
    assert!(wrapper.acked(seq));
    wait_for("the dialog", || server.session("api").dialog.filter(|d| d.id == id));
}

fn answers(checker: &mut Checker<'_>, server: &Server, wrapper: &mut Wrapper) {
    for (n, args) in [&["approve", "api"][..], &["deny", "api"], &["answer", "api", "2"]].iter().enumerate() {
        ask(server, wrapper, &format!("d{n}"));
        checker.plain("approvals");
        // By its name a session is answered only when what it asks has stood a moment.
        std::thread::sleep(std::time::Duration::from_millis(600));
        let child = checker.command(args).arg("--json").spawn().expect("assign runs");
        let request = loop {
            match wrapper.next() {
                Some(ToWrapper::Answer { request, .. }) => break request,
                Some(_) => {}
                None => panic!("no answer"),
            }
        };
        wrapper.peer.say(&ToServer::Reply { request, refused: None });
        checker.ended(args[0], child);
    }
    checker.check("approvals", &["approvals", "--all"]);
    checker.plain("policy test");
    let seq = wrapper.state(State::Idle);
    assert!(wrapper.acked(seq));
    wait_for("the session to be idle", || (server.session("api").claim.state == State::Idle).then_some(()));
}

fn prompts(checker: &mut Checker<'_>, wrapper: &mut Wrapper) {
    let waiting =
        checker.command(&["do it", "--to", "api", "--wait", "--json"]).spawn().expect("assign runs");
    let offer = wrapper.offer();
    wrapper.run(offer.attempt, "done\u{1b}[2J");
    checker.ended("send", waiting);
    checker.check("send", &["fail", "--to", "api", "--attempts", "1", "--tag", "t"]);
    let offer = wrapper.offer();
    let last = wrapper.ended(offer.attempt, Outcome::Failed, "no");
    assert!(wrapper.acked(last));
    checker.check(
        "send",
        &["wait", "--to", "nobody", "--env", "A=1", "--prerequisite", "true", "--verify", "true"],
    );
    checker.check("edit", &["edit", "3", "--priority", "8"]);
    checker.check("reassign", &["reassign", "3", "--to", "no one"]);
    for name in ["prompts", "plan"] {
        checker.plain(name);
    }
    for id in ["1", "2", "3"] {
        checker.check("show", &["show", id]);
        checker.check("why", &["why", id]);
    }
    checker.check("cancel", &["cancel", "3"]);
    checker.check("retry", &["retry", "3"]);
    checker.check("cancel", &["cancel", "--all"]);
    checker.check("retry", &["retry", "--all", "--state", "completed"]);
}

/// What is sent from files.
fn files(checker: &mut Checker<'_>, wrapper: &mut Wrapper) {
    let folder = checker.home.path().join("tasks");
    std::fs::create_dir(&folder).expect("a folder");
    let written = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let flow = written("flow.toml", "[[step]]\nid = \"one\"\nprompt = \"do it\"\ntarget = \"api\"\n");
    checker.check("run", &["run", &flow, "--dry-run"]);
    let run = checker.command(&["run", &flow, "--json"]).spawn().expect("assign runs");
    let offer = wrapper.offer();
    wrapper.run(offer.attempt, "done");
    checker.ended("run", run);
    let task = written("fix.task.md", "Fix the bug.\n");
    checker.check("task validate", &["task", "validate", &task]);
    checker.check("task clean", &["task", "clean", folder.to_str().expect("UTF-8"), "--yes"]);
}

fn administration(checker: &mut Checker<'_>) {
    let rules = checker.home.path().join("rules.toml");
    std::fs::write(&rules, "[[rule]]\nname = \"x\"\neffect = \"ask\"\n").expect("a file");
    checker.check("policy set", &["policy", "set", rules.to_str().expect("UTF-8")]);
    checker.check("sink set", &["sink", "set", "me", "command", "cat > /dev/null"]);
    checker.check("sink test", &["sink", "test", "me"]);
    checker.check("pool add", &["pool", "add", "api", "--agent", "cat", "--dir", "/"]);
    checker.plain("pool ls");
    checker.check("pool rm", &["pool", "rm", "api"]);
    checker.check("template set", &["template", "set", "fix", "Fix {{file}}"]);
    checker.check("token add", &["token", "add", "ci", "--role", "viewer"]);
    for name in ["policy show", "policy examples", "sink ls", "template ls", "token ls"] {
        checker.plain(name);
    }
    checker.check("sink rm", &["sink", "rm", "me"]);
    checker.check("template rm", &["template", "rm", "fix"]);
    checker.check("token rm", &["token", "rm", "ci"]);
    for name in ["pause", "resume", "login", "status", "doctor"] {
        checker.plain(name);
    }
    checker.check("audit", &["audit", "--check"]);
    checker.check("pause", &["pause", "api"]);
}

/// A tmux server, ended with the test; its socket.
struct Tmux(String);

impl Tmux {
    fn start(home: &Home) -> Self {
        let tmux = Self(home.path().join("tmux").to_str().expect("UTF-8").to_owned());
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "cat"]);
        tmux
    }

    fn run(&self, args: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-S", &self.0]).args(args).env_remove("TMUX").stdin(Stdio::null());
        String::from_utf8(command.output().expect("tmux runs").stdout).expect("it is text")
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

fn panes(checker: &mut Checker<'_>) {
    let tmux = Tmux::start(checker.home);
    let pane = tmux.run(&["display-message", "-p", "#{pane_id}"]);
    let (pane, socket) = (pane.trim(), ["tmux", "--socket", &tmux.0]);
    for (name, args) in [
        ("tmux ls", &["ls"][..]),
        ("tmux allow", &["allow", pane]),
        ("tmux send", &["send", pane, "hello", "--enter"]),
        ("tmux capture", &["capture", pane]),
    ] {
        checker.check(name, &[&socket[..], args].concat());
    }
    // It starts the `wrap` beside it, which need not be built here; a stand-in does for what `assign` prints.
    let beside = checker.home.path().join("beside");
    std::fs::create_dir(&beside).expect("a folder");
    std::fs::copy(env!("CARGO_BIN_EXE_assign"), beside.join("assign")).expect("a copy");
    std::fs::write(beside.join("wrap"), "#!/bin/sh\n[ \"$1\" = -d ] && exit\nexec cat\n").expect("a file");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(beside.join("wrap"), executable).expect("it is ours");
    let layout = checker.home.path().join("fleet.toml");
    std::fs::write(&layout, "[[window]]\n[[window.pane]]\nname = 'a'\nagent = 'cat'\n").expect("a file");
    for (name, args) in [
        ("tmux new", &["new", "--json", "--", "cat"][..]),
        ("tmux open", &["open", "--json", layout.to_str().expect("UTF-8")]),
        ("tmux adopt", &["adopt", "--json", "--may-type", pane]),
        ("tmux wrap", &["wrap", "--json", "--yes", pane]),
    ] {
        let mut command = Command::new(beside.join("assign"));
        command.args(socket).args(args).env("MUSTER_HOME", checker.home.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        checker.ended(name, child.expect("it runs"));
    }
    checker.check("tmux kill", &[&socket[..], &["kill", pane, "--yes"]].concat());
}

#[test]
fn every_line_of_every_command_is_as_its_schema_says() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let mut checker = Checker { home: &home, printed: BTreeMap::new() };
    let watch = checker.command(&["watch", "--json"]).spawn().expect("assign runs");
    let events = checker.command(&["events", "-f", "--prompts"]).spawn().expect("assign runs");
    let last = wrapper.report(event("connection refused"));
    assert!(wrapper.acked(last));
    answers(&mut checker, &server, &mut wrapper);
    prompts(&mut checker, &mut wrapper);
    files(&mut checker, &mut wrapper);
    wait_for("an alert", || {
        let (_, alerts): (u16, Vec<Value>) = server.ask("GET", "/v1/alerts", "");
        (!alerts.is_empty()).then_some(())
    });
    checker.check("alerts", &["alerts", "--all"]);
    administration(&mut checker);
    panes(&mut checker);
    checker.check("sessions", &["sessions", "--all"]);
    checker.check("search", &["search", "refused"]);
    checker.check("context", &["context", "api"]);
    checker.check("logs", &["logs", "api"]);
    checker.check("events", &["events", "--since", "0"]);
    checker.check("clear", &["clear"]);
    checker.check("purge", &["purge", "--all", "--yes"]);
    checker.plain("schema");
    checker.stopped("watch", watch);
    checker.stopped("events", events);
    checker.compare();
    let listed = checker.command(&["schema"]).output().expect("assign runs").stdout;
    let listed = String::from_utf8(listed).expect("names are text");
    let missing: Vec<&str> = listed.lines().filter(|name| !checker.printed.contains_key(*name)).collect();
    assert!(missing.is_empty(), "not tried: {missing:?}");
    let unknown = checker.command(&["schema", "policy"]).output().expect("assign runs");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("policy show"), "{unknown:?}");
}
