//! Memory of the processes of one session and of an idle server: resident, and proportional (shared pages divided among
//! those who share them), as Linux tells in `smaps_rollup`. Must not: run anywhere else.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use crate::drain;

/// Measures and prints.
pub fn measure(bin: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("m");
    let command = |name: &str| {
        let mut command = Command::new(bin.join(name));
        command.env("MUSTER_HOME", &home).env("MUSTER_PORT", "0");
        command
    };
    anyhow::ensure!(
        command("assigner").args(["serve", "--detach"]).stdout(Stdio::null()).status()?.success()
    );
    let (_master, slave) = drain::open()?;
    let mut client = command("wrap");
    client.args(["--name", "s", "cat"]).stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave));
    let mut client = client.spawn()?;
    let until = Instant::now() + Duration::from_secs(20);
    let session = loop {
        let out = command("assign").args(["sessions", "--json"]).output()?;
        let told = String::from_utf8_lossy(&out.stdout).contains("\"connected\"");
        let out = command("wrap").args(["ls", "--json"]).output()?;
        match serde_json::from_slice::<Value>(&out.stdout) {
            Ok(session) if told => break session,
            _ => anyhow::ensure!(Instant::now() < until, "the session did not come up"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    // What start-up needed for a moment is given back.
    std::thread::sleep(Duration::from_secs(2));
    let file: Value = serde_json::from_slice(&std::fs::read(home.join("run/assigner.json"))?)?;
    println!("{:<10} {:>9} {:>13}", "process", "resident", "proportional");
    show("client", i64::from(client.id()))?;
    show("holder", session["holder"].as_i64().context("no holder")?)?;
    show("observer", session["observer"].as_i64().context("no observer")?)?;
    show("server", file["pid"].as_i64().context("no server")?)?;
    command("wrap").args(["kill", "-s", "9", "s"]).status()?;
    command("assigner").arg("stop").stdout(Stdio::null()).status()?;
    client.wait()?;
    Ok(())
}

fn show(name: &str, pid: i64) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kilobytes = |field: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(field));
        line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
    };
    println!("{name:<10} {:>5.1} MiB {:>9.1} MiB", kilobytes("Rss:"), kilobytes("Pss:"));
    Ok(())
}
