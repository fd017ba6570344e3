//! Throughput of the relay: `cat` of a large file in a terminal, as it is, through the barest relay, through `wrap`
//! with recording and extraction on, and through what else is installed. Must not: compare figures of different runs.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};

use crate::{drain, median};

/// One thread, `poll`, from the inner terminal to standard output.
pub fn barest(command: &[String]) -> anyhow::Result<()> {
    let (master, slave) = drain::open()?;
    let (program, arguments) = command.split_first().context("nothing to run")?;
    let mut inner = Command::new(program);
    inner.args(arguments).stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave));
    let mut child = inner.spawn()?;
    drop(inner);
    let out = rustix::stdio::stdout();
    let mut buffer = vec![0; 64 << 10];
    loop {
        poll(&mut [PollFd::from_borrowed_fd(master.as_fd(), PollFlags::IN)], None)?;
        let Ok(n @ 1..) = rustix::io::read(&master, &mut buffer[..]) else { break };
        let mut rest = &buffer[..n];
        while !rest.is_empty() {
            rest = &rest[rustix::io::write(out, rest)?..];
        }
    }
    child.wait()?;
    Ok(())
}

/// Measures and prints a table.
pub fn measure(bin: &Path, megabytes: usize, rounds: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("log.txt");
    let mut text = String::with_capacity(megabytes * 1_000_000 + 100);
    let mut number = 0u64;
    while text.len() < megabytes * 1_000_000 {
        text.push_str(&format!(
            "2026-11-21T07:00:00Z INFO worker-{} request {number} served in 12 ms\n",
            number % 8
        ));
        number += 1;
    }
    std::fs::write(&file, text)?;
    let file = file.to_string_lossy().into_owned();
    let own = std::env::current_exe()?;
    let barest = vec![own.to_string_lossy().into_owned(), "barest".into(), "cat".into(), file.clone()];
    let wrap = vec![bin.join("wrap").to_string_lossy().into_owned(), "cat".into(), file.clone()];
    let cat = vec!["cat".to_owned(), file.clone()];
    let script = vec!["script".into(), "-qfec".into(), format!("cat {file}"), "/dev/null".into()];
    let mut ways = vec![("cat alone", cat), ("barest relay", barest), ("wrap", wrap)];
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_ok() {
        ways.push(("script", script));
    }
    let mut speeds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..rounds {
        for (name, words) in &ways {
            let mut command = Command::new(&words[0]);
            command
                .args(&words[1..])
                .env("MUSTER_HOME", folder.path().join("m"))
                .env("MUSTER_NO_SERVER", "1");
            let run = drain::run(&mut command)?;
            anyhow::ensure!(run.bytes >= megabytes * 1_000_000, "{name} lost bytes: {} came out", run.bytes);
            speeds.entry(name).or_default().push(run.bytes as f64 / 1e6 / run.wall.as_secs_f64());
        }
    }
    let anchor = speeds["barest relay"].clone();
    println!("{megabytes} MB, {rounds} rounds, in turn; medians");
    for (name, _) in &ways {
        let mut ratios: Vec<f64> =
            speeds[name].iter().zip(&anchor).map(|(own, anchor)| own / anchor).collect();
        let ratio = median(&mut ratios);
        println!(
            "{name:<14} {:7.1} MB/s   {ratio:5.2} of the barest relay",
            median(&mut speeds[name].clone())
        );
    }
    Ok(())
}
