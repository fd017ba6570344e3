//! `wrap ls` and `wrap kill`: sessions as their holders tell them. Must not: ask the server.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::Context;
use wire::SessionId;
use wire::place::Place;
use wire::text::escape;

use crate::control::{Channel, FromHolder, Info, ToHolder};
use crate::names;
use crate::profiles::Profile;

/// How long a holder may take to answer; they are never busy.
const ANSWER: Duration = Duration::from_secs(5);

/// Signals that are meant to end a program: SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM.
const ENDING: [i32; 5] = [1, 2, 3, 9, 15];

/// The live session with that name or id.
pub fn connect(place: &Place, name: &str) -> anyhow::Result<(SessionId, Channel)> {
    let id = names::owner(place, name).unwrap_or_else(|| SessionId(name.to_owned()));
    let stream = if id.is_plain() {
        UnixStream::connect(place.session_socket(&id))
    } else {
        Err(io::ErrorKind::NotFound.into())
    };
    let stream = stream.with_context(|| format!("no session '{}' is running; see: wrap ls", escape(name)))?;
    Ok((id, Channel::new(stream)?))
}

/// All live sessions, oldest first.
pub fn sessions(place: &Place) -> anyhow::Result<Vec<Info>> {
    let entries = match std::fs::read_dir(place.sessions_run()) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).context("cannot look for sessions"),
    };
    let mut all = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|n| n.strip_suffix(".sock")) else { continue };
        // One that ends while it is asked is not live any more.
        all.extend(ask(place, id));
    }
    all.sort_by(|a, b| a.spec.session.cmp(&b.spec.session));
    Ok(all)
}

fn ask(place: &Place, id: &str) -> Option<Info> {
    let (_, mut channel) = connect(place, id).ok()?;
    channel.send(&ToHolder::Info).ok()?;
    match channel.wait(Some(ANSWER)).ok()? {
        FromHolder::Info(info) => Some(*info),
        _ => None,
    }
}

/// Prints the live sessions.
pub fn print(place: &Place, json: bool) -> anyhow::Result<()> {
    use std::io::Write;
    let all = sessions(place)?;
    let mut out = io::stdout().lock();
    if !json {
        writeln!(out, "{:<16} {:<10} {:>8} {:>8} {:<9} COMMAND", "NAME", "AGENT", "PID", "AGE", "TERMINAL")?;
    }
    for info in &all {
        let argv: Vec<_> = info.spec.argv.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
        if json {
            let row = serde_json::json!({
                "id": info.spec.session, "name": info.spec.name, "agent": info.spec.agent, "argv": argv,
                "dir": String::from_utf8_lossy(&info.spec.dir), "pid": info.pid, "holder": info.holder,
                "observer": info.observer, "attached": info.attached, "pane": info.pane, "tmux": info.tmux,
                "age_s": info.age_s, "output": info.output,
            });
            writeln!(out, "{row}")?;
        } else {
            let terminal = match (&info.pane, info.attached) {
                (Some(pane), _) => escape(pane),
                (None, true) => "attached".to_owned(),
                (None, false) => "-".to_owned(),
            };
            let (name, agent) = (escape(&info.spec.name), escape(&info.spec.agent));
            let command = escape(&argv.join(" "));
            writeln!(
                out,
                "{name:<16} {agent:<10} {:>8} {:>7}s {terminal:<9} {command}",
                info.pid, info.age_s
            )?;
        }
    }
    Ok(())
}

/// Prints the profiles of agents.
pub fn agents(place: &Place) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = io::stdout().lock();
    for Profile { agent, file } in crate::profiles::all(place)? {
        let from = file.map(|file| format!("  ({})", file.display())).unwrap_or_default();
        let measured = agent.measured.as_ref().map_or("not measured", |(range, _)| range.as_str());
        let commands = agent.commands.join(" ");
        let line = format!("{:<10} {:<16} {measured:<22} {commands}{from}", agent.name, agent.title);
        writeln!(out, "{}", escape(&line))?;
    }
    Ok(())
}

/// Sends a signal to the programs of these sessions, and waits for those to end that it ends.
pub fn kill(place: &Place, names: &[String], signal: i32) -> anyhow::Result<()> {
    let mut signalled = Vec::new();
    for name in names {
        let (_, mut channel) = connect(place, name)?;
        channel.send(&ToHolder::Signal(signal))?;
        signalled.push((name, channel));
    }
    if !ENDING.contains(&signal) {
        return Ok(());
    }
    let lives = |channel: &mut Channel| {
        let end = channel.wait::<FromHolder>(Some(ANSWER));
        end.is_err_and(|e| e.kind() == io::ErrorKind::TimedOut)
    };
    let left: Vec<String> =
        signalled.iter_mut().filter_map(|(name, channel)| lives(channel).then(|| escape(name))).collect();
    anyhow::ensure!(
        left.is_empty(),
        "not ended by signal {signal}: {}; to force it: wrap kill -s KILL {0}",
        left.join(" ")
    );
    Ok(())
}
