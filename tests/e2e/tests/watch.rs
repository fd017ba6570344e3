//! `assign watch` in a real tmux: what it shows, what is done from it, and the terminal as it leaves it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use e2e::tmux::Tmux;
use e2e::{Muster, Terminal, program, wait_for};
use rustix::process::Signal;

/// A shell of 80 columns and 24 rows in which the product's commands are found.
fn shell(muster: &Muster) -> Tmux {
    let programs = program("assign").parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let home = muster.home();
    let env: [(&str, &Path); 4] = [
        ("MUSTER_HOME", &home),
        ("MUSTER_PORT", "0".as_ref()),
        ("MUSTER_NO_SERVER", "1".as_ref()),
        ("PATH", path.as_ref()),
    ];
    let tmux = Tmux::start(muster.folder(), &env, "bash --norc --noprofile");
    let tmux = tmux.expect("tmux is needed for this test");
    tmux.run(&["resize-window", "-x", "80", "-y", "24"]);
    wait_for("the size", || (size(&tmux) == "80x24").then_some(()));
    tmux
}

fn size(tmux: &Tmux) -> String {
    tmux.run(&["display-message", "-p", "#{pane_width}x#{pane_height}"]).trim().to_owned()
}

fn text(tmux: &Tmux, text: &str) {
    tmux.run(&["send-keys", "-l", text]);
}

fn watch(muster: &Muster) -> Tmux {
    let tmux = shell(muster);
    text(&tmux, "assign watch\n");
    tmux.await_text("─ Sessions 1 ─");
    tmux
}

#[test]
fn what_an_agent_asks_is_seen_and_approved_beside_its_screen() {
    let muster = Muster::new();
    let project = muster.ready("api");
    let tmux = watch(&muster);
    tmux.await_text("idle");
    let id = muster.send(&["make the file asked"]);
    // The inbox has the request, the tail the agent's own screen with it.
    tmux.await_text("permission");
    tmux.await_text("touch asked");
    tmux.await_text("─ Terminal of api, ");
    tmux.await_text("Enter to confirm");
    wait_for("the permission to be given", || {
        // Once it opens what does not fit, and it answers nothing that has just appeared.
        tmux.keys(&["a"]);
        project.join("asked").exists().then_some(())
    });
    muster.await_prompt(id, "completed");
    tmux.await_text("done");
    wait_for("note to be taken of it", || {
        tmux.keys(&["e"]);
        muster.prompt(id)["prompt"]["seen"].is_i64().then_some(())
    });
    tmux.await_text("nothing needs you");
}

#[test]
fn a_prompt_is_written_and_its_turn_is_seen_in_the_tail() {
    let muster = Muster::new();
    muster.ready("api");
    let tmux = watch(&muster);
    text(&tmux, ">11: no");
    tmux.keys(&["Enter"]);
    tmux.await_text("a priority is 0");
    tmux.keys(&["C-u"]);
    text(&tmux, "@api 7: What is the capital of France?");
    tmux.keys(&["Enter"]);
    let prompt = wait_for("the prompt", || muster.json("assign", &["prompts", "--json"]).into_iter().next());
    assert_eq!((&prompt["asked"]["priority"], &prompt["asked"]["target"]), (&7.into(), &"api".into()));
    let id = prompt["id"].as_i64().unwrap();
    muster.await_prompt(id, "completed");
    tmux.keys(&["g", "z"]);
    tmux.await_text("Terminal of api");
    tmux.await_text("Paris");
    // Alone: right before another key it would be that key with Alt.
    tmux.keys(&["Escape"]);
    tmux.await_text("─ Queue");
    tmux.keys(&["q"]);
    tmux.await_text(&format!("#{id}"));
    // A small terminal shows one pane, a large one all of them again.
    tmux.run(&["resize-window", "-x", "40", "-y", "10"]);
    wait_for("the small picture", || {
        let screen = tmux.screen();
        (screen.contains("─ Queue") && !screen.contains("─ Sessions")).then_some(())
    });
    tmux.run(&["resize-window", "-x", "120", "-y", "40"]);
    tmux.await_text("─ Sessions 1 ─");
}

#[test]
fn a_server_that_is_gone_is_said_and_found_again() {
    // No session, as those would start a server by themselves.
    let muster = Muster::new();
    muster.ok("assigner", &["serve", "--detach"]);
    let tmux = shell(&muster);
    text(&tmux, "assign watch\n");
    tmux.await_text("no sessions;");
    muster.ok("assigner", &["stop"]);
    tmux.await_text("disconnected since");
    // What is written meanwhile is not lost.
    text(&tmux, "> later");
    tmux.keys(&["Enter"]);
    tmux.await_text("cannot reach the server");
    tmux.await_text("> later");
    muster.ok("assigner", &["serve", "--detach"]);
    wait_for("the connection", || (!tmux.screen().contains("disconnected")).then_some(()));
    tmux.keys(&["Enter"]);
    tmux.await_text("#1     pending");
    assert_eq!(muster.json("assign", &["prompts", "--json"]).len(), 1);
    // Who leaves right after it was sent has sent it.
    text(&tmux, ">9: and then");
    tmux.keys(&["Enter", "Q"]);
    wait_for("the second prompt", || {
        (muster.json("assign", &["prompts", "--json"]).len() == 2).then_some(())
    });
}

/// What tmux knows of the pane's modes.
fn modes(tmux: &Tmux) -> String {
    let flags =
        "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_cursor_flag} #{keypad_flag} #{wrap_flag}";
    tmux.run(&["display-message", "-p", flags]).trim().to_owned()
}

#[test]
fn the_terminal_is_as_it_was_after_each_ending() {
    let muster = Muster::new();
    muster.ready("api");
    let tmux = shell(&muster);
    let file = |name: &str| muster.folder().join(name);
    let read = |name: &str| std::fs::read_to_string(file(name)).ok().filter(|text| text.ends_with('\n'));
    let endings: [(&str, Option<Signal>, &str); 6] = [
        ("Q", None, "0"),
        ("C-c", None, "0"),
        ("C-d", None, "0"),
        ("TERM", Some(Signal::TERM), "143"),
        ("HUP", Some(Signal::HUP), "129"),
        ("INT", Some(Signal::INT), "130"),
    ];
    for (how, signal, code) in endings {
        text(&tmux, &format!("clear; echo ready {how}; stty -a > before-{how}\n"));
        wait_for("the shell", || read(&format!("before-{how}")));
        let before = modes(&tmux);
        text(
            &tmux,
            &format!(
                "sh -c 'echo $$ > pid-{how}; exec assign watch'; echo $? > code-{how}; stty -a > after-{how}\n"
            ),
        );
        tmux.await_text("─ Sessions 1 ─");
        assert!(modes(&tmux).starts_with("1 0"), "{}", modes(&tmux));
        match signal {
            None => tmux.keys(&[how]),
            Some(signal) => {
                let pid = wait_for("its number", || read(&format!("pid-{how}"))?.trim().parse().ok());
                e2e::signal(pid, signal);
            }
        }
        let after = wait_for("the end", || read(&format!("after-{how}")));
        assert_eq!(Some(after), read(&format!("before-{how}")), "{how}");
        wait_for(&format!("the modes after {how}"), || (modes(&tmux) == before).then_some(()));
        assert!(tmux.screen().contains(&format!("ready {how}")), "the screen from before is back");
        assert_eq!(read(&format!("code-{how}")), Some(format!("{code}\n")), "{how}");
    }
}

#[test]
fn it_stops_and_goes_on_as_any_job_of_a_shell() {
    let muster = Muster::new();
    muster.ready("api");
    let tmux = watch(&muster);
    tmux.keys(&["C-z"]);
    tmux.await_text("Stopped");
    assert!(modes(&tmux).starts_with("0 1"), "{}", modes(&tmux));
    text(&tmux, "fg\n");
    tmux.await_text("─ Sessions 1 ─");
    assert!(modes(&tmux).starts_with("1 0"), "{}", modes(&tmux));
    tmux.keys(&["Q"]);
    wait_for("the shell", || modes(&tmux).starts_with("0 1").then_some(()));
}

#[test]
fn every_mode_that_was_switched_on_is_switched_off_and_nothing_is_asked_of_the_terminal() {
    let muster = Muster::new();
    muster.ready("api");
    for (keys, signal, code) in [(&b"Q"[..], None, 0), (b"", Some(Signal::TERM), 143)] {
        let mut command = muster.command("assign");
        command.arg("watch");
        let mut terminal = Terminal::run(&command);
        terminal.await_text("Sessions");
        assert!(!terminal.is_cooked());
        terminal.write(keys);
        if let Some(signal) = signal {
            e2e::signal(terminal.pid(), signal);
        }
        assert_eq!(terminal.await_end(), code);
        assert!(terminal.is_cooked());
        // The last bytes may still be on their way through the terminal when the program has ended.
        for mode in ["1049", "2004", "25"] {
            wait_for(&format!("the end of mode {mode}"), || {
                let text = terminal.text();
                let last = |end: &str| text.rfind(&format!("\x1b[?{mode}{end}"));
                let (on, off) = (last("h").unwrap_or(0), last("l").unwrap_or(0));
                ((on > off) == (mode == "25")).then_some(())
            });
        }
        let text = terminal.text();
        for query in ["\x1b[6n", "\x1b[c", "\x1b[>c", "\x1b[?u", "\x1b]11;?"] {
            assert!(!text.contains(query), "{query:?}");
        }
    }
}

#[test]
fn a_window_that_is_closed_leaves_nothing_behind() {
    let muster = Muster::new();
    muster.ok("assigner", &["serve", "--detach"]);
    let mut command = muster.command("assign");
    command.arg("watch").env("NO_COLOR", "1");
    let mut terminal = Terminal::run(&command);
    terminal.await_text("no sessions;");
    let coloured = (30..=37).any(|colour| terminal.text().contains(&format!("\x1b[{colour}m")));
    assert!(!coloured, "{:?}", terminal.text());
    let pid = terminal.pid();
    terminal.close();
    wait_for("its end", || (!e2e::is_alive(pid)).then_some(()));
}

/// The notice about a prompt that failed in the session `api`.
fn notice(id: i64) -> String {
    format!("prompt {id} failed in api")
}

/// Has a prompt fail; its number.
fn failed(muster: &Muster) -> i64 {
    let id = muster.send(&["--attempts", "1", "--verify", "false", "What is the capital of France?"]);
    muster.await_prompt(id, "failed");
    id
}

#[test]
fn a_notice_is_told_to_the_terminal_in_its_own_bytes_and_once() {
    for (way, before, after) in [
        ("osc9", "\x1b]9;Muster: ", "\x07"),
        ("osc777", "\x1b]777;notify;Muster;", "\x07"),
        ("osc99", "\x1b]99;i=muster:d=0:p=title;Muster\x1b\\\x1b]99;i=muster:d=1:p=body;", "\x1b\\"),
    ] {
        let muster = Muster::new();
        muster.ready("api");
        let lines = muster.folder().join("lines");
        let assign = muster.command("assign");
        let mut watch = std::process::Command::new("sh");
        watch.args(["-c", "exec \"$0\" watch --notify \"$1\" > \"$2\""]);
        watch.arg(assign.get_program()).arg(way).arg(&lines).env_remove("TMUX");
        watch.envs(assign.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut terminal = Terminal::run(&watch);
        wait_for("the first line", || {
            std::fs::read_to_string(&lines).ok().filter(|text| text.contains("session api")).map(drop)
        });
        let id = failed(&muster);
        let expected = format!("{before}{}{after}", notice(id));
        terminal.await_text(&expected);
        // Once: of what comes later nothing tells it again.
        let other = failed(&muster);
        terminal.await_text(&notice(other));
        assert_eq!(terminal.text(), format!("{expected}{before}{}{after}", notice(other)));
        terminal.close();
    }
}

#[test]
fn a_notice_goes_through_tmux_to_the_terminal_around_it_when_tmux_lets_it() {
    let muster = Muster::new();
    muster.ready("api");
    let tmux = shell(&muster);
    let mut attach = std::process::Command::new("tmux");
    attach.args(["-S", tmux.socket(), "attach"]).env_remove("TMUX");
    let mut around = Terminal::run(&attach);
    wait_for("tmux to be shown", || (!tmux.run(&["list-clients"]).is_empty()).then_some(()));
    tmux.run(&["set-option", "-g", "allow-passthrough", "off"]);
    text(&tmux, "assign watch --notify osc777; echo it ended with $?\n");
    tmux.await_text("allow-passthrough on");
    tmux.await_text("it ended with 5");
    tmux.run(&["set-option", "-g", "allow-passthrough", "on"]);
    text(&tmux, "clear; assign watch --notify osc777\n");
    tmux.await_text("─ Sessions 1 ─");
    let id = failed(&muster);
    around.await_text(&format!("\x1b]777;notify;Muster;{}\x07", notice(id)));
    tmux.keys(&["Q"]);
    around.close();
}

#[test]
fn a_terminal_that_is_not_known_to_show_notices_is_sent_none_and_that_is_told() {
    let muster = Muster::new();
    muster.ready("api");
    let mut watch = muster.command("assign");
    watch.args(["watch", "--notify"]).env_remove("TMUX").env_remove("TERM_PROGRAM").env_remove("LC_TERMINAL");
    watch.env_remove("WT_SESSION");
    let mut terminal = Terminal::run(&watch);
    terminal.await_text("--notify osc9 tries the usual way");
    terminal.await_text("Inbox");
    terminal.write(b"Q");
    assert_eq!(terminal.await_end(), 0);
}
