//! The durable queue beside bare SQLite: enqueue, claim, complete, with many prompts waiting. Must not: leave out the
//! disk.
//!
//! The product's own control loop decides and saves, batch by batch, as it does behind its channel. Bare SQLite does
//! the least that a durable queue could do (one row is written per step), with the same settings, the same batches and
//! so the same number of commits, on the same file system, in turn with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, params};
use server::feed::Terminals;
pub use server::hub::now;
use server::hub::{Ask, By, Command, Control, Given, Line, Said, Settings};
use server::store::Store;
use tokio::sync::{mpsc, oneshot};
use wire::prompt::{NewPrompt, Outcome, PromptResult, Receipt, Step};
use wire::session::{Claim, Context, Moves, Size, Source, State};
use wire::wrapper::{Hello, Now, Numbered, Offer, Report, ToWrapper};
use wire::{HostId, SessionId, UnixMillis};

use crate::table::{Goal, Table};

/// Commands that are decided in one transaction, as the loop's own most.
const BATCH: usize = 256;
/// Sessions that take prompts.
const SESSIONS: usize = 64;

/// Fills the queue, then lets sessions work it off; prints each step's speed and its ratio to bare SQLite.
pub fn measure(waiting: usize, claims: usize, table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let (enqueue, claim) = ours(&folder.path().join("ours.sqlite"), waiting, claims)?;
    let (bare_enqueue, bare_claim) = bare(&folder.path().join("bare.sqlite"), waiting, claims)?;
    let what = format!("queue, {waiting} waiting");
    for (step, own, bare) in [("enqueue", enqueue, bare_enqueue), ("claim and complete", claim, bare_claim)] {
        table.row(&format!("{what}: {step}"), own, "a second", Goal::None);
        table.row(&format!("{what}: {step} / bare SQLite"), own / bare, "", Goal::None);
    }
    Ok(())
}

/// A session's wrapper, as far as the loop can tell.
pub struct Wrapper {
    id: SessionId,
    conn: u64,
    from: mpsc::Receiver<ToWrapper>,
    seq: u64,
}

fn ours(path: &Path, waiting: usize, claims: usize) -> anyhow::Result<(f64, f64)> {
    let settings = Settings::default();
    let mut control = Control::new(Store::open(path)?, settings, Arc::new(Terminals::default()), now())?;
    let begun = Instant::now();
    for batch in (0..waiting).collect::<Vec<_>>().chunks(BATCH) {
        enqueue_all(&mut control, batch, now())?;
    }
    let enqueue = waiting as f64 / begun.elapsed().as_secs_f64();
    let mut wrappers: Vec<Wrapper> = (0..SESSIONS).map(|n| connect(&mut control, n, now())).collect();
    let begun = Instant::now();
    let mut done = 0;
    while done < claims {
        let at = now();
        let commands: Vec<Command> =
            wrappers.iter_mut().filter_map(|w| complete(w, Vec::new(), at)).collect();
        anyhow::ensure!(!commands.is_empty(), "nobody was given anything");
        done += commands.len();
        control.run(commands, at);
    }
    Ok((enqueue, done as f64 / begun.elapsed().as_secs_f64()))
}

/// Queues prompts with these numbers, in one transaction.
pub fn enqueue_all(control: &mut Control, numbers: &[usize], at: UnixMillis) -> anyhow::Result<()> {
    let (commands, answers): (Vec<_>, Vec<_>) = numbers
        .iter()
        .map(|n| {
            let (reply, answer) = oneshot::channel();
            let asked = Box::new(NewPrompt::new(format!("Fix the bug number {n} in the login page")));
            (Command::Ask(Ask::Enqueue(asked, Given::default(), By::Cli, reply)), answer)
        })
        .unzip();
    control.run(commands, at);
    anyhow::ensure!(answers.into_iter().all(|mut answer| matches!(answer.try_recv(), Ok(Ok(_)))));
    Ok(())
}

/// Says hello, and that everything before is reported.
pub fn connect(control: &mut Control, n: usize, at: UnixMillis) -> Wrapper {
    let id = SessionId(format!("s{n}"));
    let conn = n as u64 + 1;
    let (line, from, _closed) = Line::new(conn);
    let hello = Box::new(hello_of(&id));
    control.run(vec![Command::Connect { hello, line }], at);
    Wrapper { id, conn, from, seq: 0 }
}

/// What a wrapper reports of the offer it was sent: accepted, what happened meanwhile, and that it ended well.
pub fn complete(wrapper: &mut Wrapper, meanwhile: Vec<Report>, at: UnixMillis) -> Option<Command> {
    let mut offer: Option<Offer> = None;
    while let Ok(message) = wrapper.from.try_recv() {
        if let ToWrapper::Offer(new) = message {
            offer = Some(new);
        }
    }
    let attempt = offer?.attempt;
    let mut report = |report| {
        wrapper.seq += 1;
        Numbered { seq: wrapper.seq, at, report }
    };
    let step = |step| Report::Receipt { attempt, receipt: Receipt { step, at } };
    let ended = Report::Ended { attempt, result: PromptResult::new(Outcome::Completed, "", "status") };
    let turn = [step(Step::Accepted)].into_iter().chain(meanwhile).chain([step(Step::Ended), ended]);
    let reports = turn.map(&mut report).collect();
    Some(Command::Wrapper { session: wrapper.id.clone(), conn: wrapper.conn, said: Said::Reports(reports) })
}

/// What a session's wrapper says first.
pub fn hello_of(id: &SessionId) -> Hello {
    let claim = Claim {
        state: State::Idle,
        source: Source::Status,
        rule: "bench".into(),
        evidence: String::new(),
        since: now(),
        background: false,
    };
    let context = Context {
        dir: "/home/anna/api".into(),
        branch: Some("main".into()),
        repo: Some("/home/anna/api".into()),
        env: BTreeMap::new(),
        hash: String::new(),
    };
    Hello {
        protocol: wire::PROTOCOL,
        protocol_oldest: wire::PROTOCOL_OLDEST,
        version: "0".into(),
        session: id.clone(),
        name: id.0.clone(),
        host: HostId("h".into()),
        host_name: "here".into(),
        agent: "agent".into(),
        argv: Vec::new(),
        role: None,
        caps: Vec::new(),
        pool: None,
        started: now(),
        epoch: 1,
        last_seq: 0,
        fence: 0,
        holds: None,
        now: Now {
            claim,
            context,
            title: String::new(),
            dialog: None,
            size: Size { cols: 120, rows: 40 },
            attached: false,
            kept: false,
            moves: Moves::None,
            interpreter: false,
            last_line: String::new(),
            metrics: BTreeMap::new(),
            exit: None,
        },
    }
}

/// The least that is durable: a row per prompt, one statement per step, a commit per batch.
fn bare(path: &Path, waiting: usize, claims: usize) -> anyhow::Result<(f64, f64)> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.pragma_update(None, "synchronous", "full")?;
    db.execute_batch(
        "CREATE TABLE queue (id INTEGER PRIMARY KEY, text TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0);
         CREATE INDEX waiting ON queue (id) WHERE state = 0;",
    )?;
    let begun = Instant::now();
    for batch in (0..waiting).collect::<Vec<_>>().chunks(BATCH) {
        db.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = db.prepare_cached("INSERT INTO queue (text) VALUES (?1)")?;
        for n in batch {
            insert.execute([format!("Fix the bug number {n} in the login page")])?;
        }
        db.execute_batch("COMMIT")?;
    }
    let enqueue = waiting as f64 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let mut done = 0;
    while done < claims {
        db.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..SESSIONS {
            let mut claim = db.prepare_cached(
                "UPDATE queue SET state = 1 WHERE id = (SELECT min(id) FROM queue WHERE state = 0) RETURNING id",
            )?;
            let id: i64 = claim.query_row([], |row| row.get(0))?;
            db.prepare_cached("UPDATE queue SET state = 2 WHERE id = ?1")?.execute(params![id])?;
            done += 1;
        }
        db.execute_batch("COMMIT")?;
    }
    Ok((enqueue, done as f64 / begun.elapsed().as_secs_f64()))
}
