//! Throughput of one core: the bare parser, the bare emulator, the extractor with all rules on, and `grep -E` with the
//! same rules, in turn. Must not: count time in which the core did something else; it is the processor's time that is
//! compared, and of `grep` that of the child.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use extractor::Extractor;
use patterns::Library;
use rustix::time::{ClockId, clock_gettime};

use crate::inputs::{self, Traffic};
use crate::table::{Goal, Table};
use crate::{ere, median};

/// Takes the parser's calls and does nothing.
struct Nothing;

impl vte::Perform for Nothing {}

/// Processor time of this thread.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Figures by input and way.
#[derive(Default)]
struct Figures(BTreeMap<(&'static str, &'static str), Vec<f64>>);

impl Figures {
    fn add(&mut self, input: &'static str, way: &'static str, bytes: usize, seconds: f64) {
        self.0.entry((input, way)).or_default().push(bytes as f64 / 1e6 / seconds);
    }

    /// The median of the rounds, and that of the rounds' ratios to another way.
    fn of(&self, input: &'static str, way: &'static str, anchor: &'static str) -> Option<(f64, f64)> {
        let own = self.0.get(&(input, way))?;
        let other = self.0.get(&(input, anchor))?;
        let mut ratios: Vec<f64> = own.iter().zip(other).map(|(own, other)| own / other).collect();
        Some((median(&mut own.clone()), median(&mut ratios)))
    }
}

/// Measures and prints.
pub fn measure(recordings: &Path, bytes: usize, rounds: usize, table: &mut Table) -> anyhow::Result<()> {
    let (plain, coloured) = (inputs::plain(bytes), inputs::coloured(bytes));
    let short = |text: &str| vec![inputs::pieces(&text.as_bytes()[..bytes / 8])];
    let long = |text: &str| vec![inputs::pieces(text.as_bytes())];
    let logs = [("plain", short(&plain), long(&plain)), ("coloured", short(&coloured), long(&coloured))];
    let tui = inputs::recordings(recordings)?;
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    std::fs::write(&rules, ere::all()?.join("\n"))?;
    let files = [("plain", &plain), ("coloured", &coloured)].map(|(name, text)| {
        let file = folder.path().join(name);
        std::fs::write(&file, text.replace('\r', "")).map(|()| (name, file, text.len()))
    });
    let mut figures = Figures::default();
    for _ in 0..rounds {
        for (name, short, long) in &logs {
            parser(&mut figures, name, long);
            emulator(&mut figures, name, short);
            extraction(&mut figures, name, "extractor, stream", long, Some("any"));
            extraction(&mut figures, name, "extractor, screen", long, Some("claude"));
        }
        for file in &files {
            let (name, file, length) = file.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
            // An eighth would do, but a child's time is told in hundredths of a second.
            figures.add(name, "grep -E", *length, grep(&rules, file)?);
        }
        for _ in 0..8 {
            parser(&mut figures, "TUI", &tui);
            emulator(&mut figures, "TUI", &tui);
            extraction(&mut figures, "TUI", "extractor", &tui, None);
        }
        matcher(&mut figures, bytes);
    }
    print(&figures, rounds, table);
    start(rounds, table)
}

fn print(figures: &Figures, rounds: usize, table: &mut Table) {
    let ways = ["vt100", "extractor, stream", "extractor, screen", "extractor", "grep -E"];
    for input in ["plain", "coloured", "TUI"] {
        for way in ways {
            let Some((speed, _)) = figures.of(input, way, way) else { continue };
            let what = format!("{input} output, {rounds} rounds: {way}");
            table.row(&format!("{what}, speed"), speed, "MB/s of processor", Goal::None);
            for anchor in ["vte, no-op", "vt100", "grep -E"].into_iter().filter(|anchor| *anchor != way) {
                if let Some((_, ratio)) = figures.of(input, way, anchor) {
                    let own = way.starts_with("extractor") && anchor == "grep -E";
                    let goal = if own { Goal::AtLeast(1.0) } else { Goal::None };
                    table.row(&format!("{what} / {anchor}"), ratio, "", goal);
                }
            }
        }
    }
    for (input, goal) in [("0.1 %", 1.6), ("1 %", 1.0), ("10 %", 1.0), ("stripped", 0.8)] {
        if let Some((speed, _)) = figures.of(input, "matcher", "matcher") {
            table.row(&format!("matcher alone, {input}"), speed / 1e3, "GB/s", Goal::AtLeast(goal));
        }
    }
}

fn parser(figures: &mut Figures, input: &'static str, traffic: &[Traffic]) {
    let (begun, mut bytes) = (now(), 0);
    for one in traffic {
        let mut parser = vte::Parser::new();
        for (_, piece) in &one.pieces {
            parser.advance(&mut Nothing, piece);
            bytes += piece.len();
        }
    }
    figures.add(input, "vte, no-op", bytes, now() - begun);
}

fn emulator(figures: &mut Figures, input: &'static str, traffic: &[Traffic]) {
    let (begun, mut bytes) = (now(), 0);
    for one in traffic {
        let side = |n: u16| n.try_into().unwrap_or(std::num::NonZeroU16::MIN);
        let mut parser = vt100::Parser::new(side(one.size.1), side(one.size.0), 0);
        for (_, piece) in &one.pieces {
            parser.process(piece);
            bytes += piece.len();
        }
    }
    figures.add(input, "vt100", bytes, now() - begun);
}

/// The whole extractor, as the observer drives it; `agent` stands for the one that the traffic is of.
fn extraction(
    figures: &mut Figures,
    input: &'static str,
    way: &'static str,
    traffic: &[Traffic],
    agent: Option<&str>,
) {
    let library = Library::builtin();
    let (begun, mut bytes, mut seen) = (now(), 0, Vec::new());
    for one in traffic {
        let agent = library.agent_for_command(agent.unwrap_or(&one.agent));
        let mut extractor = Extractor::new(agent, one.size.0, one.size.1);
        for (at, piece) in &one.pieces {
            extractor.output(*at, piece, &mut seen);
            bytes += piece.len();
            seen.clear();
        }
        extractor.tick(Duration::from_secs(100_000), &mut seen);
    }
    figures.add(input, way, bytes, now() - begun);
}

/// Processor time of `grep -E -c` with all rules over a file.
fn grep(rules: &Path, file: &Path) -> anyhow::Result<f64> {
    let children = || -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        // Fields 16 and 17, in hundredths of a second.
        let ticks = fields[13].parse::<f64>()? + fields[14].parse::<f64>()?;
        Ok(ticks / 100.0)
    };
    let before = children()?;
    let mut grep = Command::new("grep");
    grep.args(["-E", "-c", "-f"]).arg(rules).arg(file).env("LC_ALL", "C.UTF-8").stdout(Stdio::null());
    grep.status().context("cannot run grep")?;
    Ok((children()? - before).max(0.01))
}

fn matcher(figures: &mut Figures, bytes: usize) {
    let matcher = Library::builtin().matcher();
    let coloured = inputs::coloured(bytes / 4).replace('\r', "");
    let mut stripped = String::new();
    for part in coloured.split('\x1b') {
        stripped
            .push_str(part.strip_prefix('[').and_then(|p| p.split_once('m')).map_or(part, |(_, text)| text));
    }
    let texts = [("0.1 %", 1_000), ("1 %", 100), ("10 %", 10)];
    let texts = texts.map(|(name, every)| (name, inputs::matching(bytes / 4, every)));
    for (input, text) in texts.into_iter().chain([("stripped", stripped)]) {
        let (begun, mut found, mut fed) = (now(), 0, 0);
        for _ in 0..4 {
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let most = &rest.as_bytes()[..rest.len().min(64 << 10)];
                let end = most.iter().rposition(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
                matcher.scan(&rest[..end], |_| found += 1);
                fed += end;
                rest = &rest[end..];
            }
        }
        figures.add(input, "matcher", fed, now() - begun);
        std::hint::black_box(found);
    }
}

/// Reads all patterns once, and finds nothing with them.
pub fn patterns() -> anyhow::Result<()> {
    let begun = Instant::now();
    Library::builtin().matcher().scan("nothing to see\n", |_| ());
    println!("{}", begun.elapsed().as_micros());
    Ok(())
}

/// How long that takes in a process of its own.
fn start(rounds: usize, table: &mut Table) -> anyhow::Result<()> {
    let mut took = Vec::new();
    for _ in 0..rounds.max(3) * 4 {
        let out = Command::new(std::env::current_exe()?).arg("patterns").output()?;
        took.push(String::from_utf8(out.stdout)?.trim().parse::<f64>()? / 1e3);
    }
    let rules = Library::builtin().matcher().rules().len();
    table.row(
        &format!("start-up of all agents and {rules} rules"),
        median(&mut took),
        "ms",
        Goal::AtMost(3.0),
    );
    Ok(())
}
