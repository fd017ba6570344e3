//! Throughput of the relay: `cat` of a large file in a terminal, as it is, through the barest relay, through `wrap`
//! with recording and extraction on, and through what else is installed. Must not: compare figures of different runs.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};

use crate::table::{Goal, Table, installed};
use crate::{drain, median};

/// What others are told, so that nothing but the relay is measured.
pub const TMUX: &str = "set -g status off\nset -s escape-time 0\n";
/// The same for GNU screen.
pub const SCREEN: &str = "startup_message off\nvbell off\nautodetach off\n";

/// One thread, `poll`, between standard input and output and the inner terminal.
pub fn barest(command: &[String]) -> anyhow::Result<()> {
    let (master, slave) = drain::open()?;
    let (program, arguments) = command.split_first().context("nothing to run")?;
    let mut inner = Command::new(program);
    inner.args(arguments).stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave));
    let (input, out) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    if let Ok(mut settings) = rustix::termios::tcgetattr(input) {
        settings.make_raw();
        rustix::termios::tcsetattr(input, rustix::termios::OptionalActions::Now, &settings)?;
    }
    let mut child = inner.spawn()?;
    drop(inner);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let mut ready = [(master.as_fd()), (input)].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        poll(&mut ready, None)?;
        let [shown, typed] = ready.map(|fd| !fd.revents().is_empty());
        if shown {
            let Ok(n @ 1..) = rustix::io::read(&master, &mut buffer[..]) else { break };
            write(out, &buffer[..n])?;
        }
        if typed {
            // Where the terminal is gone, so is whoever looked.
            let Ok(n @ 1..) = rustix::io::read(input, &mut buffer[..]) else { break };
            write(master.as_fd(), &buffer[..n])?;
        }
    }
    drop(master);
    child.wait()?;
    Ok(())
}

fn write(to: std::os::fd::BorrowedFd<'_>, mut rest: &[u8]) -> anyhow::Result<()> {
    while !rest.is_empty() {
        rest = &rest[rustix::io::write(to, rest)?..];
    }
    Ok(())
}

/// A way to run a command in a terminal.
pub struct Way {
    /// Its name.
    pub name: &'static str,
    /// The words before the command.
    pub words: Vec<String>,
    /// The command is one word for a shell.
    quoted: bool,
    /// It shows a screen, not a stream: what nobody could see is left out.
    screen: bool,
}

impl Way {
    /// The command that runs `command` this way.
    pub fn of(&self, command: &[String]) -> Vec<String> {
        let mut words = self.words.clone();
        if self.quoted {
            let quote = |word: &String| format!("'{}'", word.replace('\'', r"'\''"));
            let line = command.iter().map(quote).collect::<Vec<_>>().join(" ");
            // The file that `script` and `asciinema` write comes last.
            let at = words.len() - 1;
            words.insert(at, line);
        } else {
            words.extend(command.iter().cloned());
        }
        words
    }
}

/// The ways that are installed; of the others their names. Their files go to `folder`.
pub fn ways(bin: &Path, folder: &Path) -> anyhow::Result<(Vec<Way>, Vec<&'static str>)> {
    let own = std::env::current_exe()?.to_string_lossy().into_owned();
    let wrap = bin.canonicalize()?.join("wrap").to_string_lossy().into_owned();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    std::fs::write(folder.join("tmux.conf"), TMUX)?;
    std::fs::write(folder.join("screenrc"), SCREEN)?;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let way = |name, words, quoted, screen| Way { name, words, quoted, screen };
    let all = [
        way("cat alone", Vec::new(), false, false),
        way("barest relay", vec![own.clone(), "barest".into()], false, false),
        way("wrap", vec![wrap, "--name".into(), "bench".into()], false, false),
        way("script to /dev/null", words(&["script", "-qfec", "/dev/null"]), true, false),
        way("script to a file", words(&["script", "-qec", &path("typescript")]), true, false),
        way(
            "tmux",
            words(&["tmux", "-S", &path("tmux"), "-f", &path("tmux.conf"), "new-session"]),
            false,
            true,
        ),
        way("screen", words(&["screen", "-c", &path("screenrc")]), false, true),
        way("asciinema", words(&["asciinema", "rec", "-q", "--overwrite", "-c", &path("cast")]), true, false),
        way("barest relay again", vec![own, "barest".into()], false, false),
    ];
    let (here, missing): (Vec<Way>, Vec<Way>) =
        all.into_iter().partition(|way| way.words.first().is_none_or(|w| w.contains('/') || installed(w)));
    Ok((here, missing.iter().map(|way| way.name).collect()))
}

/// Measures: speed of each way as a part of the barest relay's, and the processor's time beside.
pub fn measure(bin: &Path, megabytes: usize, rounds: usize, table: &mut Table) -> anyhow::Result<()> {
    // On the disk of the working folder: where a home is a disk in memory, nothing would be recorded.
    let folder = tempfile::Builder::new().prefix("relay").tempdir_in(".")?;
    let file = folder.path().canonicalize()?.join("log.txt");
    std::fs::write(&file, log(megabytes))?;
    let cat = ["cat".to_owned(), file.to_string_lossy().into_owned()];
    let (ways, missing) = ways(bin, &folder.path().canonicalize()?)?;
    let mut speeds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut costs: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..rounds {
        for way in &ways {
            let mut command = drain::on_terminal(&way.of(&cat));
            command.env("MUSTER_HOME", folder.path().canonicalize()?.join("m")).env("MUSTER_NO_SERVER", "1");
            let run = drain::run(&mut command)?;
            let whole = way.screen || run.bytes >= megabytes * 1_000_000;
            anyhow::ensure!(whole, "{} lost bytes: {} came out", way.name, run.bytes);
            speeds.entry(way.name).or_default().push(megabytes as f64 / run.wall.as_secs_f64());
            costs.entry(way.name).or_default().push(run.cpu * 1e3 / megabytes as f64);
            let _ = std::fs::remove_dir_all(folder.path().join("m/sessions"));
        }
    }
    let ratio = |way: &str, anchor: &str| {
        let pairs = speeds[way].iter().zip(&speeds[anchor]);
        median(&mut pairs.map(|(own, anchor)| own / anchor).collect::<Vec<_>>())
    };
    let title = format!("relay of {megabytes} MB, {rounds} rounds");
    for way in &ways {
        let figure = ratio(way.name, "barest relay");
        let goal = if way.name == "wrap" { Goal::AtLeast(0.9) } else { Goal::None };
        table.row(&format!("{title}: {} / barest relay", way.name), figure, "", goal);
    }
    for way in ways
        .iter()
        .filter(|way| !["cat alone", "barest relay", "wrap", "barest relay again"].contains(&way.name))
    {
        table.row(&format!("{title}: wrap / {}", way.name), ratio("wrap", way.name), "", Goal::AtLeast(1.0));
    }
    for way in &ways {
        let speed = median(&mut speeds[way.name].clone());
        table.row(&format!("{title}: {}, speed", way.name), speed, "MB/s", Goal::None);
        let cost = median(&mut costs[way.name].clone());
        table.row(&format!("{title}: {}, processor, `cat` with it", way.name), cost, "ms/MB", Goal::None);
    }
    for name in missing {
        table.not_tried(&format!("{title}: {name}"), &format!("{name} is missing"));
    }
    Ok(())
}

/// Lines of a log.
fn log(megabytes: usize) -> String {
    let mut text = String::with_capacity(megabytes * 1_000_000 + 100);
    let mut number = 0u64;
    while text.len() < megabytes * 1_000_000 {
        text.push_str(&format!(
            "2026-11-21T07:00:00Z INFO worker-{} request {number} served in 12 ms\n",
            number % 8
        ));
        number += 1;
    }
    text
}
