//! What sessions hold and use: memory of each process, the processor's time of a screen that is drawn twenty times a
//! second, and many sessions at once. Resident memory, and proportional (shared pages divided among those who share
//! them), as Linux tells in `smaps_rollup`. Must not: run anywhere else.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::drain;
use crate::status::Bench;
use crate::table::{Goal, Table};

/// How long sessions may take to come up.
const START: Duration = Duration::from_secs(300);
/// What start-up needed for a moment is given back after so long.
const SETTLES: Duration = Duration::from_secs(3);

/// Measures one session with a past, one that draws, and `many` at once.
pub fn measure(bin: &Path, many: usize, table: &mut Table) -> anyhow::Result<()> {
    let lines = "seq -f 'line %g of what the program printed before' 10000; exec cat";
    one(
        bin,
        lines,
        |bench, table| {
            for (role, most) in
                [("wrap", None), ("holder", Some(3.0)), ("observer", Some(12.0)), ("assigner", None)]
            {
                let (resident, proportional) = memory(bench, role)?;
                let name = if role == "wrap" { "client" } else { role };
                let goal = most.map_or(Goal::None, Goal::AtMost);
                table.row(&format!("{name}, 120x40, 10,000 lines printed: resident"), resident, "MB", goal);
                table.row(
                    &format!("{name}, 120x40, 10,000 lines printed: proportional"),
                    proportional,
                    "MB",
                    Goal::None,
                );
            }
            Ok(())
        },
        table,
    )?;
    let own = std::env::current_exe()?;
    let draws = format!("exec '{}' draw", own.display());
    one(
        bin,
        &draws,
        |bench, table| {
            let (before, begun) = (bench.ours(), Instant::now());
            std::thread::sleep(Duration::from_secs(15));
            for role in ["holder", "observer"] {
                let used = used(bench, &before, role) / begun.elapsed().as_secs_f64() * 100.0;
                table.row(
                    &format!("{role}, 20 redraws a second: processor"),
                    used,
                    "% of a core",
                    Goal::None,
                );
            }
            Ok(())
        },
        table,
    )?;
    fleet(bin, many, table)
}

/// Draws a screen twenty times a second, as an agent at work does: a clock, a spinner, a row of text, all rows now and
/// then.
pub fn draw() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for frame in 0u64.. {
        let mut text = String::from("\x1b[?2026h");
        if frame.is_multiple_of(20) {
            text.push_str("\x1b[H\x1b[2J");
            for row in 0..38 {
                text.push_str(&format!(
                    "\x1b[3{}m  row {row} of step {}\x1b[m of the work, as it is drawn\r\n",
                    row % 7,
                    frame / 20
                ));
            }
        }
        let spinner = ['|', '/', '-', '\\'][frame as usize % 4];
        text.push_str(&format!(
            "\x1b[39;1H\x1b[2K{spinner} Working ({} s) esc to interrupt\x1b[40;1H\x1b[?2026l",
            frame / 20
        ));
        out.write_all(text.as_bytes())?;
        out.flush()?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// One attached session with a server, up and at rest.
fn one(
    bin: &Path,
    inner: &str,
    look: impl FnOnce(&Bench, &mut Table) -> anyhow::Result<()>,
    table: &mut Table,
) -> anyhow::Result<()> {
    with_server(bin, |bench| {
        let (master, slave) = drain::open()?;
        let drained = std::thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(1..) = rustix::io::read(&master, &mut buffer[..]) {}
        });
        let mut client = bench.command("wrap");
        client.args(["--name", "s0", "sh", "-c", inner]);
        client.stdin(Stdio::from(slave.try_clone()?)).stdout(Stdio::from(slave));
        let mut child = client.spawn()?;
        drop(client);
        connected(bench, 1)?;
        std::thread::sleep(SETTLES);
        let done = look(bench, table);
        bench.command("wrap").args(["kill", "-s", "9", "s0"]).status()?;
        child.wait()?;
        let _ = drained.join();
        done
    })
}

/// Many sessions without a terminal, at rest.
fn fleet(bin: &Path, many: usize, table: &mut Table) -> anyhow::Result<()> {
    with_server(bin, |bench| {
        let begun = Instant::now();
        for n in 0..many {
            let mut wrap = bench.command("wrap");
            wrap.args(["-d", "--name", &format!("s{n}"), "sh", "-c", "read x"]).stdout(Stdio::null());
            anyhow::ensure!(wrap.status()?.success(), "session {n} did not start");
        }
        let started = begun.elapsed().as_secs_f64();
        connected(bench, many)?;
        let what = format!("{many} sessions at once");
        table.row(&format!("{what}: started, one after the other"), started, "s", Goal::None);
        table.row(
            &format!("{what}: all known to the server"),
            begun.elapsed().as_secs_f64(),
            "s",
            Goal::None,
        );
        std::thread::sleep(Duration::from_secs(10));
        let (before, begun) = (bench.ours(), Instant::now());
        std::thread::sleep(Duration::from_secs(30));
        let wall = begun.elapsed().as_secs_f64();
        for role in ["holder", "observer", "assigner"] {
            let (resident, proportional) = memory(bench, role)?;
            table.row(&format!("{what}, {role}s: resident"), resident, "MB", Goal::None);
            table.row(&format!("{what}, {role}s: proportional"), proportional, "MB", Goal::None);
            let used = used(bench, &before, role) / wall * 100.0;
            table.row(&format!("{what}, {role}s, at rest: processor"), used, "% of a core", Goal::None);
        }
        let names: Vec<String> = (0..many).map(|n| format!("s{n}")).collect();
        bench.command("wrap").args(["kill", "-s", "9"]).args(&names).stdout(Stdio::null()).status()?;
        Ok(())
    })
}

fn with_server(bin: &Path, run: impl FnOnce(&Bench) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("mu").tempdir()?;
    let bench = Bench { bin: bin.canonicalize()?, folder: folder.path().to_owned() };
    let mut serve = bench.command("assigner");
    anyhow::ensure!(serve.args(["serve", "--detach"]).stdout(Stdio::null()).status()?.success());
    let done = run(&bench);
    let until = Instant::now() + START;
    // A session that has not told its end yet would start the server anew.
    while bench.ours().keys().any(|(role, _)| role != "assigner") && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    bench.command("assigner").arg("stop").stdout(Stdio::null()).status()?;
    done
}

/// Waits until the server knows of so many sessions that are connected.
fn connected(bench: &Bench, many: usize) -> anyhow::Result<()> {
    let until = Instant::now() + START;
    loop {
        let out = bench.command("assign").args(["sessions", "--json"]).output()?;
        let up = String::from_utf8_lossy(&out.stdout).matches("\"connected\"").count();
        if up >= many {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < until, "only {up} of {many} sessions came up");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Seconds of the processor that those of a role have used since `before`.
fn used(bench: &Bench, before: &BTreeMap<(String, u32), f64>, role: &str) -> f64 {
    let after = bench.ours();
    let own = after.iter().filter(|((name, _), _)| name == role);
    own.map(|(key, seconds)| seconds - before.get(key).copied().unwrap_or_default()).sum()
}

/// Megabytes, resident and proportional, of all processes of a role.
fn memory(bench: &Bench, role: &str) -> anyhow::Result<(f64, f64)> {
    let (mut resident, mut proportional) = (0.0, 0.0);
    let mut found = false;
    for (name, pid) in bench.ours().keys().filter(|(name, _)| name == role) {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
            .with_context(|| format!("the memory of {name} cannot be read"))?;
        let megabytes = |field: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(field));
            let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            kilobytes.unwrap_or_default() * 1024.0 / 1e6
        };
        resident += megabytes("Rss:");
        proportional += megabytes("Pss:");
        found = true;
    }
    anyhow::ensure!(found, "there is no {role}");
    Ok((resident, proportional))
}
