//! How much later a key's echo comes through `wrap` and others than through the barest relay, at rest and while the
//! session floods. Must not: compare figures of different runs.
//!
//! The inner program gives back each byte as it comes. Ways are measured in turn, some hundred keys each time; the
//! barest relay stands twice among them, so that the machine's own noise is seen.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::drain;
use crate::relay::{Way, ways};
use crate::table::{Goal, Table};

/// Keys of one way in one round; before them, some that are not counted.
const KEYS: usize = 250;
const WARM: usize = 20;
/// After this a key counts as lost.
const PATIENCE: Duration = Duration::from_secs(1);
/// After so many lost keys a round is over.
const LOST: usize = 5;
/// From an echo to the next key.
const PAUSE: Duration = Duration::from_millis(2);

/// Gives back what is typed.
const ECHO: &str = "stty raw -echo; echo ready; exec cat";
/// The same below lines without end, as a terminal gets them; a flood has no capital letter.
const FLOOD: &str = "stty raw -echo opost onlcr; yes 'info: worker took a request of somebody and went on with it' & echo ready; exec cat";
/// Lines that begin where the last one ended, as programs that draw may write: nobody can do without an emulator for these.
const STAIRS: &str = "stty raw -echo; yes 'info: worker took a request of somebody and went on with it' & echo ready; exec cat";

/// Measures all three.
pub fn measure(bin: &Path, keys: usize, table: &mut Table) -> anyhow::Result<()> {
    measure_one(bin, keys, ("at rest", ECHO, 100.0), table)?;
    measure_one(bin, keys, ("in a flood", FLOOD, 1_000.0), table)?;
    measure_one(bin, keys, ("in a flood of stairs", STAIRS, 1_000.0), table)
}

fn measure_one(
    bin: &Path,
    keys: usize,
    (when, inner, most): (&str, &str, f64),
    table: &mut Table,
) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("keys").tempdir()?;
    let inner = ["sh".to_owned(), "-c".to_owned(), inner.to_owned()];
    let (ways, missing) = ways(bin, folder.path())?;
    let ways: Vec<&Way> = ways.iter().filter(|way| way.name != "script to a file").collect();
    let mut took: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut lost: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..keys.div_ceil(KEYS) {
        for way in &ways {
            let (some, gone) = echoes(way, &inner, folder.path()).with_context(|| way.name)?;
            took.entry(way.name).or_default().extend(some);
            *lost.entry(way.name).or_default() += gone;
        }
    }
    for figures in took.values_mut() {
        figures.sort_by(f64::total_cmp);
    }
    let at = |way: &str, part: f64| {
        let figures = &took[way];
        figures[((figures.len() - 1) as f64 * part).round() as usize]
    };
    let anchor = "barest relay";
    for way in ways.iter().filter(|way| way.name != "cat alone") {
        if [way.name, anchor, "barest relay again"].iter().any(|way| took[way].is_empty()) {
            table
                .not_tried(&format!("key's echo {when}: {}", way.name), "no key was ever seen on its screen");
            continue;
        }
        for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            let base = at(anchor, part);
            let what = format!("key's echo {when}, {} keys: {}", took[way.name].len(), way.name);
            if way.name == anchor {
                table.row(&format!("{what}, {name}"), base, "us", Goal::None);
                continue;
            }
            let (what, added) = (format!("{what}, {name} added"), at(way.name, part) - base);
            let noise = (at("barest relay again", part) - base).abs();
            match way.name == "wrap" && name == "p99" {
                true if noise > most => table.undecided(&what, added, "us", Goal::AtMost(most), noise),
                true => table.row(&what, added, "us", Goal::AtMost(most)),
                false => table.row(&what, added, "us", Goal::None),
            }
        }
        if lost[way.name] > 0 {
            table.row(
                &format!("key's echo {when}: {}, lost", way.name),
                lost[way.name] as f64,
                "keys",
                Goal::None,
            );
        }
    }
    for name in missing {
        table.not_tried(&format!("key's echo {when}: {name}"), &format!("{name} is missing"));
    }
    Ok(())
}

/// Microseconds of some keys' echoes in a session of this way, and how many never came.
fn echoes(way: &Way, inner: &[String], folder: &Path) -> anyhow::Result<(Vec<f64>, usize)> {
    let (master, slave) = drain::open()?;
    let mut command = drain::on_terminal(&way.of(inner));
    command.env("MUSTER_HOME", folder.join("m")).env("MUSTER_NO_SERVER", "1");
    command.stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave)).stderr(Stdio::null());
    let mut child = command.spawn()?;
    drop(command);
    let mut terminal = Terminal { master, buffer: vec![0; 64 << 10] };
    anyhow::ensure!(terminal.wait_for(b'y', Instant::now() + Duration::from_secs(20))?, "it does not start");
    terminal.settle(Duration::from_millis(300))?;
    let (mut took, mut lost) = (Vec::with_capacity(KEYS), 0);
    for key in 0..WARM + KEYS {
        let letter = b'A' + (key % 26) as u8;
        terminal.settle(PAUSE)?;
        let begun = Instant::now();
        rustix::io::write(&terminal.master, &[letter])?;
        match terminal.wait_for(letter, begun + PATIENCE)? {
            true if key >= WARM => took.push(begun.elapsed().as_secs_f64() * 1e6),
            true => {}
            false => lost += 1,
        }
        if lost >= LOST {
            // A screen that skips what nobody could read does not show every key.
            break;
        }
    }
    // Its terminal goes away, and with it everything in it.
    drop(terminal);
    end(way, &mut child, folder)?;
    Ok((took, lost))
}

/// Ends a session whose terminal is gone; some only leave it.
fn end(way: &Way, child: &mut Child, folder: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(way.words.first().map_or("true", String::as_str));
    match way.name {
        "wrap" => command.args(["kill", "-s", "9", "bench"]).env("MUSTER_HOME", folder.join("m")).status(),
        "tmux" => command.arg("-S").arg(folder.join("tmux")).arg("kill-server").status(),
        _ => Ok(Default::default()),
    }?;
    // Most end with their terminal; one waits for its program, which does not.
    let until = Instant::now() + Duration::from_secs(1);
    while child.try_wait()?.is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    child.wait()?;
    Ok(())
}

struct Terminal {
    master: OwnedFd,
    buffer: Vec<u8>,
}

impl Terminal {
    /// Reads until this byte comes, or it is too late.
    fn wait_for(&mut self, byte: u8, until: Instant) -> anyhow::Result<bool> {
        loop {
            let Some(found) = self.read(until, byte)? else { return Ok(false) };
            if found {
                return Ok(true);
            }
        }
    }

    /// Reads on for a while.
    fn settle(&mut self, pause: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + pause;
        while self.read(until, 0)?.is_some() {}
        Ok(())
    }

    /// One read: whether the byte was in it; nothing when it is too late.
    fn read(&mut self, until: Instant, byte: u8) -> anyhow::Result<Option<bool>> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        let patience = Timespec::try_from(left)?;
        let mut ready = [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)];
        if poll(&mut ready, Some(&patience))? == 0 {
            return Ok(None);
        }
        let n = rustix::io::read(&self.master, &mut self.buffer[..]).context("the session has ended")?;
        Ok(Some(self.buffer[..n].contains(&byte)))
    }
}
