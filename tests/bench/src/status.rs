//! What a fleet at rest costs: many idle sessions in tmux, with the status line on, beside the other way to know what
//! panes do, which is to read all of them each second. In one run, on one machine. Must not: touch the user's tmux.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

/// How long sessions may take to come up.
const START: Duration = Duration::from_secs(180);
/// For so long nothing must have changed before it is measured.
const REST: Duration = Duration::from_secs(10);
/// Ticks a second in `/proc/PID/stat`: the same on every Linux.
const TICKS: f64 = 100.0;

/// Measures and prints.
pub fn measure(bin: &Path, sessions: usize, seconds: u64) -> anyhow::Result<()> {
    let bin = bin.canonicalize().context("the folder of the programs is not there")?;
    let folder = tempfile::Builder::new().prefix("mu").tempdir()?;
    let bench = Bench { bin, folder: folder.path().to_owned() };
    anyhow::ensure!(
        bench.command("assigner").args(["serve", "--detach"]).stdout(Stdio::null()).status()?.success()
    );
    let done = bench.run(sessions, seconds);
    // Whatever came of it, nothing of it stays.
    let _ = bench.tmux(&["kill-server"]);
    let names: Vec<String> = (0..sessions).map(|n| format!("s{n}")).collect();
    let _ = bench.command("wrap").args(["kill", "-s", "9"]).args(&names).stderr(Stdio::null()).status();
    // A session that has not told its end yet would start the server anew.
    let until = Instant::now() + START;
    while bench.ours().keys().any(|(role, _)| role != "assigner") && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = bench.command("assigner").arg("stop").stdout(Stdio::null()).status();
    done
}

/// The product's programs, and a home of their own.
pub struct Bench {
    /// Folder of the programs.
    pub bin: PathBuf,
    /// Folder of the home.
    pub folder: PathBuf,
}

impl Bench {
    /// One of the programs, in this home.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        self.place(&mut command);
        command
    }

    fn place(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.bin.display()));
        command.env("MUSTER_HOME", self.folder.join("m")).env("MUSTER_PORT", "0").env_remove("TMUX");
    }

    fn tmux(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("tmux");
        self.place(&mut command);
        command.arg("-S").arg(self.folder.join("tmux")).args(arguments);
        let output = command.output().context("tmux is needed")?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "tmux {arguments:?}: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn run(&self, sessions: usize, seconds: u64) -> anyhow::Result<()> {
        self.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "cat"])?;
        for n in 0..sessions {
            let (name, here) = (format!("s{n}"), self.folder.to_string_lossy());
            self.tmux(&[
                "new-window",
                "-d",
                "--",
                "wrap",
                "--name",
                &name,
                "-C",
                &here,
                "sh",
                "-c",
                "read x",
            ])?;
        }
        self.tmux(&["run-shell", "-b", "exec assign tmux follow"])?;
        let status = self.rest(sessions)?;
        println!("{sessions} sessions in tmux, at rest, for {seconds} s; the status line says: {status}");
        let panes = self.tmux(&["list-panes", "-a", "-F", "#{pane_id}"])?;
        let server = self.tmux(&["display-message", "-p", "#{pid}"])?;
        let (before, captured, tmux) = (self.ours(), children()?, task_seconds(&server));
        let begun = Instant::now();
        for second in 0..seconds {
            std::thread::sleep((Duration::from_secs(second)).saturating_sub(begun.elapsed()));
            for pane in panes.lines() {
                self.tmux(&["capture-pane", "-p", "-t", pane])?;
            }
        }
        std::thread::sleep(Duration::from_secs(seconds).saturating_sub(begun.elapsed()));
        let wall = begun.elapsed().as_secs_f64();
        let after = self.ours();
        let captured = children()? - captured + task_seconds(&server) - tmux;
        show(&before, &after, wall, captured);
        Ok(())
    }

    /// Waits until all sessions are known and nothing changes any longer; what the status line says then.
    fn rest(&self, sessions: usize) -> anyhow::Result<String> {
        let until = Instant::now() + START;
        let (mut last, mut since) = (String::new(), Instant::now());
        loop {
            let status = self.tmux(&["show-option", "-gqv", "@muster_status"])?;
            if status != last {
                (last, since) = (status, Instant::now());
            }
            let known: usize =
                last.split(" · ").filter_map(|part| part.split(' ').next()?.parse::<usize>().ok()).sum();
            if known == sessions && since.elapsed() > REST {
                return Ok(last);
            }
            anyhow::ensure!(Instant::now() < until, "the sessions did not come to rest: {last}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Seconds of the processor that each process of Muster has had, with its ended children's, by what it is.
    pub fn ours(&self) -> BTreeMap<(String, u32), f64> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter_map(|pid| {
            let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
            let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
            let mark = format!("MUSTER_HOME={}\0", self.folder.join("m").display());
            let here = environment.windows(mark.len()).any(|window| window == mark.as_bytes());
            if !here || program.parent() != Some(&self.bin) {
                return None;
            }
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let role = words.split(|b| *b == 0).nth(1).unwrap_or_default();
            let role = match role {
                b"holder" | b"observer" => String::from_utf8_lossy(role).into_owned(),
                _ => program.file_name()?.to_string_lossy().into_owned(),
            };
            let ended = ended_children(&pid.to_string()).unwrap_or_default();
            Some(((role, pid), task_seconds(&pid.to_string()) + ended))
        })
        .collect()
    }
}

fn show(
    before: &BTreeMap<(String, u32), f64>,
    after: &BTreeMap<(String, u32), f64>,
    wall: f64,
    captured: f64,
) {
    let mut roles: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for (key, seconds) in after {
        let role = roles.entry(&key.0).or_default();
        role.0 += 1;
        role.1 += seconds - before.get(key).copied().unwrap_or_default();
    }
    println!("{:<28} {:>9} {:>12} {:>14}", "", "processes", "seconds", "of one core");
    let line = |what: &str, count: usize, seconds: f64| {
        println!("{what:<28} {count:>9} {seconds:>12.3} {:>13.2}%", 100.0 * seconds / wall);
    };
    for (role, (count, seconds)) in &roles {
        line(role, *count, *seconds);
    }
    let total = roles.values().map(|(_, seconds)| seconds).sum();
    line("Muster, all of it", roles.values().map(|(count, _)| count).sum(), total);
    line("capture-pane each second", 1, captured);
}

/// Seconds of the processor of all threads of a process; the kernel counts them in nanoseconds.
fn task_seconds(pid: &str) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let ran = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    tasks.filter_map(ran).sum::<f64>() / 1e9
}

/// The same of its children that have ended.
fn ended_children(pid: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(13)? + ticks(14)?) / TICKS)
}

/// The same of this process's.
pub fn children() -> anyhow::Result<f64> {
    ended_children("self").context("cannot read /proc/self/stat; this is measured on Linux")
}
