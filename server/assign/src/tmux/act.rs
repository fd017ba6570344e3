//! What is done with one pane, or with all. Must not: name a pane to tmux by anything but its id.

use std::io::Read;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use wire::http::Done;
use wire::text::{escape, escape_lines};

use super::pane::{Pane, PaneId, all, one};
use super::server::Server;
use super::start::Start;
use crate::agree::agrees;
use crate::failure::Failure;
use crate::print::Printer;
use crate::sending::absolute;
use crate::tables;

/// Longest line that is typed, in bytes.
const LINE_MAX: usize = 64 << 10;

/// What a pane shows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Captured {
    pane: PaneId,
    /// As it is: nothing in it is escaped.
    text: String,
}

/// Lists them.
pub fn ls(server: &Server, print: &Printer) -> Result<(), Failure> {
    let panes = all(server)?;
    print.objects_or(&panes, || tables::panes(&panes))
}

/// Runs a command under `wrap` in a new window.
pub fn new(
    server: &Server,
    print: &Printer,
    name: Option<&str>,
    dir: Option<&Path>,
    command: &[String],
) -> Result<(), Failure> {
    let dir = absolute(dir.unwrap_or(Path::new(".")))?;
    let id = Start::Run { name, dir: &dir, role: None, command }.window(server, name)?;
    let pane = one(server, &id)?;
    print.object_or(&pane, || escape(id.as_str()))
}

/// Runs what a pane shows anew, under `wrap`, in the same pane.
pub fn wrap(server: &Server, print: &Printer, id: &PaneId, yes: bool) -> Result<(), Failure> {
    let pane = one(server, id)?;
    let (name, command) = (escape(id.as_str()), escape(&pane.command));
    if let Some(session) = &pane.session {
        return Err(Failure::Refused(format!("{name} shows the session {} already", escape(session))));
    }
    let question = format!("End {command} in {name}, and run it anew under wrap, without its arguments?");
    if !agrees(&question, yes)? {
        return Err(Failure::Refused("nothing was ended".to_owned()));
    }
    let command = [pane.command.clone()];
    Start::Run { name: None, dir: &pane.dir, role: None, command: &command }.instead(server, &pane)?;
    let pane = one(server, id)?;
    print.object_or(&pane, || format!("{name} runs under wrap"))
}

/// Says whether `send` may type into a pane.
pub fn allow(server: &Server, print: &Printer, id: &PaneId, may: bool) -> Result<(), Failure> {
    // Looked for first: tmux would say of one that is not there that it has no session.
    one(server, id)?;
    let value = if may { "1" } else { "0" };
    server.run(&["set-option", "-p", "-t", id.as_str(), "@muster_may_type", value])?;
    let pane = one(server, id)?;
    print.object_or(&pane, || match may {
        true => format!("{}: `assign tmux send` may type into it", escape(id.as_str())),
        false => format!("{}: nothing is typed into it any longer", escape(id.as_str())),
    })
}

/// Types a line.
pub fn send(server: &Server, print: &Printer, id: &PaneId, text: &str, enter: bool) -> Result<(), Failure> {
    let text = match text {
        "-" => read_line()?,
        text => text.to_owned(),
    };
    typeable(&text).map_err(Failure::Usage)?;
    receives(&one(server, id)?).map_err(Failure::Refused)?;
    // A buffer of its own, by standard input: what is typed stands neither among the user's copies nor in a list of
    // processes. tmux puts the marks of a paste around it when the program has asked for them.
    let buffer = format!("muster-{}", uuid::Uuid::new_v4().simple());
    server.run_with(&["load-buffer", "-b", &buffer, "-"], &text)?;
    if let Err(failure) = server.run(&["paste-buffer", "-p", "-d", "-b", &buffer, "-t", id.as_str()]) {
        // It is not left behind; what went wrong is told, whether that works or not.
        let _ = server.run(&["delete-buffer", "-b", &buffer]);
        return Err(failure);
    }
    if enter {
        server.run(&["send-keys", "-t", id.as_str(), "Enter"])?;
    }
    print.object_or(&Done { done: true }, || format!("typed into {}", escape(id.as_str())))
}

fn read_line() -> Result<String, Failure> {
    let mut text = String::new();
    let most = u64::try_from(LINE_MAX + 2).unwrap_or(u64::MAX);
    let read = std::io::stdin().take(most).read_to_string(&mut text);
    read.map_err(|e| Failure::Usage(format!("cannot read the line from standard input: {e}")))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// Whether a text can be typed without doing anything else. tmux cannot tell whether the program knows a paste from keys:
/// a line break might run what stands before it.
fn typeable(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("there is nothing to type".to_owned());
    }
    if text.len() > LINE_MAX {
        return Err(format!("the line is longer than {LINE_MAX} bytes"));
    }
    if escape(text) != text {
        return Err("the text has line breaks, control characters or invisible ones, which could press keys; send one \
             plain line, or run the program under `wrap` and send it a prompt"
            .to_owned());
    }
    Ok(())
}

/// Whether a line may be typed into a pane now.
fn receives(pane: &Pane) -> Result<(), String> {
    let id = escape(pane.pane.as_str());
    if let Some(session) = &pane.session {
        let session = escape(session);
        return Err(format!(
            "{id} shows the session {session}, which gets its prompts when it is ready: assign --to {session} TEXT"
        ));
    }
    if !pane.may_type {
        return Err(format!("nobody has allowed to type into {id}: assign tmux allow {id}"));
    }
    if pane.dead {
        return Err(format!("what ran in {id} has ended"));
    }
    if pane.in_mode {
        return Err(format!("somebody scrolls or selects in {id}; leave its copy mode first"));
    }
    Ok(())
}

/// Prints what it shows.
pub fn capture(
    server: &Server,
    print: &Printer,
    id: &PaneId,
    raw: bool,
    history: u32,
) -> Result<(), Failure> {
    let first = format!("-{history}");
    let mut arguments = vec!["capture-pane", "-p", "-t", id.as_str(), "-S"];
    arguments.push(if history == 0 { "0" } else { &first });
    if raw {
        arguments.push("-e");
    }
    let text = server.run(&arguments)?;
    if print.json {
        return print.object(&Captured { pane: id.clone(), text });
    }
    let text = if raw { text } else { escape_lines(&text) };
    print.bytes(text.as_bytes())
}

/// Ends it.
pub fn kill(server: &Server, print: &Printer, id: &PaneId, yes: bool) -> Result<(), Failure> {
    let pane = one(server, id)?;
    let (name, command) = (escape(id.as_str()), escape(&pane.command));
    if !agrees(&format!("End {name}, in which {command} runs?"), yes)? {
        return Err(Failure::Refused("nothing was ended".to_owned()));
    }
    server.run(&["kill-pane", "-t", id.as_str()])?;
    print.object_or(&Done { done: true }, || match &pane.session {
        Some(session) => {
            let session = escape(session);
            format!("{name} is gone; its session goes on: `wrap attach {session}`, `wrap kill {session}`")
        }
        None => format!("{name} is gone"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_press_a_key_is_not_typed() {
        for bad in ["", "a\nb", "a\r", "\u{1b}[201~", "a\u{7f}", "a\tb", "\u{9b}A", "a\u{202e}b", "\u{3}"] {
            assert!(typeable(bad).is_err(), "{bad:?}");
        }
        assert!(typeable(&"x".repeat(LINE_MAX + 1)).is_err());
        for good in ["ls -l; echo '#{pane_id} %% $HOME'", "größer 日本", "-t"] {
            assert_eq!(typeable(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn only_a_pane_that_was_allowed_and_is_nobodys_else_is_typed_into() {
        let pane = Pane {
            pane: "%3".parse().unwrap(),
            at: "m:0.0".into(),
            command: "sh".into(),
            dir: "/".into(),
            cols: 80,
            rows: 24,
            pid: Some(1),
            session: None,
            adopted: None,
            may_type: true,
            piped: false,
            dead: false,
            in_mode: false,
        };
        assert_eq!(receives(&pane), Ok(()));
        for refused in [
            Pane { may_type: false, ..pane.clone() },
            Pane { session: Some("api".into()), ..pane.clone() },
            Pane { dead: true, ..pane.clone() },
            Pane { in_mode: true, ..pane },
        ] {
            assert!(receives(&refused).is_err(), "{refused:?}");
        }
    }
}
