//! How long questions about a long past take: thirty days of prompts and events, as the control loop keeps them.
//! Must not: write to the database but through the loop.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use server::feed::Terminals;
use server::hub::{Command, Control, Settings, now};
use server::store::{Archive, Query, Span, Store};
use wire::UnixMillis;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::wrapper::Report;

use crate::queue::{Wrapper, complete, connect, enqueue_all};

/// Sessions that take prompts.
const SESSIONS: usize = 64;
/// Length of the past, in milliseconds.
const SPAN: i64 = 30 * DAY;
const DAY: i64 = 24 * 60 * 60_000;
/// Different things that go wrong.
const THINGS: usize = 500;
/// How often each question is asked.
const ROUNDS: usize = 5;

/// Fills a database and asks.
pub fn measure(prompts: usize, events: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let path = folder.path().join("past.sqlite");
    let begun = Instant::now();
    fill(&path, prompts, events)?;
    let took = begun.elapsed().as_secs_f64();
    let size = std::fs::metadata(&path)?.len() as f64 / f64::from(1 << 20);
    println!("{prompts} prompts and {events} events in {took:.0} s, {size:.0} MiB");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let archive = Archive::new(path);
    println!("{:<52} {:>9} {:>9}", "question", "first, ms", "again, ms");
    for (name, days) in [("insight, a day", 1), ("insight, a week", 7), ("insight, thirty days", 30)] {
        ask(name, || {
            let to = now();
            let span = Span {
                from: UnixMillis(to.0 - days * DAY),
                to,
                agent: None,
                project: None,
                offset_minutes: 60,
                now: to,
            };
            runtime.block_on(archive.read(move |reader| reader.insight(&span))).map(|_| ())
        })?;
    }
    for (name, words) in [
        ("search, a word that is everywhere", "login"),
        ("search, a word that stands once", "4711"),
        ("search, two words", "refused 42"),
        ("search, a word that is nowhere", "wolpertinger"),
    ] {
        ask(name, || {
            let query = Query { words: words.to_owned(), limit: 50, ..Query::default() };
            runtime.block_on(archive.read(move |reader| reader.search(&query))).map(|_| ())
        })?;
    }
    Ok(())
}

fn ask(name: &str, question: impl Fn() -> Result<(), server::fault::Fault>) -> anyhow::Result<()> {
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        question().map_err(|fault| anyhow::anyhow!("{name}: {fault:?}"))?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let first = took.remove(0);
    took.sort_by(f64::total_cmp);
    println!("{name:<52} {first:>9.1} {:>9.1}", took[took.len() / 2]);
    Ok(())
}

fn fill(path: &Path, prompts: usize, events: usize) -> anyhow::Result<()> {
    let settings = Settings::default();
    let start = now().0 - SPAN;
    let at =
        |done: usize| UnixMillis(start + SPAN * i64::try_from(done).unwrap_or(0) / prompts.max(1) as i64);
    let mut control = Control::new(Store::open(path)?, settings, Arc::new(Terminals::default()), at(0))?;
    let mut wrappers: Vec<Wrapper> = (0..SESSIONS).map(|n| connect(&mut control, n, at(0))).collect();
    let each = events / prompts.max(1);
    let mut done = 0;
    let mut told = 0;
    while done < prompts {
        let numbers: Vec<usize> = (done..prompts.min(done + SESSIONS)).collect();
        enqueue_all(&mut control, &numbers, at(done))?;
        let mut commands: Vec<Command> = Vec::with_capacity(SESSIONS);
        for wrapper in &mut wrappers {
            let meanwhile = (0..each).map(|n| Report::Event { event: event(told + n, at(done)) }).collect();
            if let Some(command) = complete(wrapper, meanwhile, at(done)) {
                told += each;
                commands.push(command);
            }
        }
        anyhow::ensure!(!commands.is_empty(), "nobody was given anything");
        done += commands.len();
        control.run(commands, at(done));
    }
    Ok(())
}

fn event(number: usize, at: UnixMillis) -> Event {
    let thing = number % THINGS;
    let (kind, severity) = if number.is_multiple_of(10) {
        (EventKind::Error, Severity::Error)
    } else {
        (EventKind::Command, Severity::Info)
    };
    Event {
        at,
        kind,
        severity,
        origin: Origin::Agent,
        rule: "bench".to_owned(),
        text: format!("connect to 10.0.0.{thing}: connection refused, try {number}"),
        fields: BTreeMap::new(),
        offset: number as u64,
        fingerprint: format!("{thing:016x}"),
    }
}
