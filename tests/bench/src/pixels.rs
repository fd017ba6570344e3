//! How long a byte takes from the agent to the page's pixels, and what a flood in a watched session does to agent and
//! page. Must not: know the dashboard beyond its address.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

/// Drives the browser; see its head.
const WATCHER: &str = "tests/bench/pixels.mjs";

/// A program that prints the time ten times a second.
const CLOCK: &str = "while :; do printf 'T%s\\n' \"$(date +%s%3N)\"; sleep 0.1; done";

/// A program that writes so many bytes, and then how many milliseconds that took into a file.
fn flood(bytes: usize, wait: &str, file: &Path) -> String {
    let file = file.display();
    format!(
        "{wait} s=$(date +%s%3N); head -c {bytes} /dev/zero | tr '\\0' x | fold -w 100; e=$(date +%s%3N); \
         echo $((e - s)) > '{file}'; printf '\\nTHE-END\\n'; sleep 600"
    )
}

/// Measures both and prints them.
pub fn measure(bin: &Path, seconds: u64, megabytes: usize) -> anyhow::Result<()> {
    let bin = bin.canonicalize()?;
    let home = tempfile::tempdir()?;
    let command = |program: &str| {
        let mut command = Command::new(bin.join(program));
        command.env("MUSTER_HOME", home.path()).env("MUSTER_PORT", "0").stdin(Stdio::null());
        command
    };
    anyhow::ensure!(
        command("assigner").args(["serve", "--detach"]).stdout(Stdio::null()).status()?.success()
    );
    let took = |name: &str| home.path().join(format!("took-{name}"));
    let wrap = |name: &str, script: &str| -> anyhow::Result<()> {
        let mut wrap = command("wrap");
        wrap.args(["-d", "--name", name, "sh", "-c", script]).stdout(Stdio::null());
        anyhow::ensure!(wrap.status()?.success(), "{name} does not start");
        Ok(())
    };
    let verdict = (|| {
        wrap("alone", &flood(megabytes * 1_000_000, "", &took("alone")))?;
        let alone = waited(&took("alone"))?;
        wrap("clock", CLOCK)?;
        wrap("flood", &flood(megabytes * 1_000_000, "read go;", &took("flood")))?;
        let said = command("assign").arg("login").output()?.stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        let link = said.split_whitespace().find(|word| word.starts_with("http")).context("no login link")?;
        let mut watcher = Command::new("node");
        watcher.arg(WATCHER).args([link, "clock", "flood"]).arg(seconds.to_string());
        let out = watcher.stderr(Stdio::inherit()).output()?;
        anyhow::ensure!(out.status.success(), "the browser failed");
        let seen: Value = serde_json::from_slice(&out.stdout)?;
        for (what, value) in seen.as_object().context("the browser said nothing")? {
            println!("{what:<52} {value}");
        }
        let watched = waited(&took("flood"))?;
        println!("{:<52} {alone}", format!("agent: ms for {megabytes} MB that nobody watches"));
        println!("{:<52} {watched}", "agent: ms for the same, watched");
        Ok(())
    })();
    for name in ["alone", "clock", "flood"] {
        command("wrap")
            .args(["kill", "-s", "9", name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
    }
    command("assigner").arg("stop").stdout(Stdio::null()).status()?;
    verdict
}

/// The figure in a file, once it is there.
fn waited(file: &Path) -> anyhow::Result<u64> {
    let begun = Instant::now();
    loop {
        if let Some(figure) = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()) {
            return Ok(figure);
        }
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(600), "a flood does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
}
