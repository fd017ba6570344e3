//! A session's journal: what was reported, kept until the server has it, and what was promised to it.
//!
//! Owns: the file, its sequence numbers, what a new observer learns from it. Must not: talk to the server.
//! One JSON object a line; a line that a crash cut off is dropped. What follows from one moment of the recording is one
//! line, so that a crash leaves all of it or nothing, and the next observer knows where to go on: one call would not do,
//! as a process that is killed in it may have written a part.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wire::UnixMillis;
use wire::place::observe;
use wire::prompt::{Receipt, Step};
use wire::wrapper::{Numbered, Offer, Report};

use crate::delivery::Kept;
use crate::log;

/// Bytes after which a file whose reports are all acknowledged is begun anew.
const COMPACT_AT: u64 = 1 << 20;

/// Name of the file that says that a session was told to its end.
const TOLD: &str = "told";

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Entry {
    /// What was true when the file was begun anew.
    Base {
        seq: u64,
        until_us: Option<u64>,
        fence: u64,
    },
    /// Reports of one moment. `until_us`: everything that follows from the recording up to there is among them or before.
    Reports {
        reports: Vec<Numbered>,
        until_us: Option<u64>,
    },
    /// A report, and the other half, as earlier builds wrote them.
    Report {
        numbered: Numbered,
    },
    Until {
        until_us: u64,
    },
    /// An offer was taken.
    Lease {
        offer: Offer,
    },
    /// What is known of the open attempt beyond its receipts.
    Kept {
        kept: Box<Kept>,
    },
    /// The server has all reports up to here.
    Acked {
        seq: u64,
    },
}

/// The attempt that was held when the journal was last written.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// What was offered.
    pub offer: Offer,
    /// How far it came.
    pub receipts: Vec<Receipt>,
    /// When in the recording it was accepted, if it was and that is known.
    pub accepted: Option<Duration>,
    /// What is known beyond that.
    pub kept: Option<Kept>,
}

impl Open {
    /// Whether it reached a step.
    pub fn reached(&self, step: Step) -> bool {
        self.receipts.iter().any(|r| r.step == step)
    }
}

/// The journal of one session.
pub struct Journal {
    path: PathBuf,
    /// Whose it is, for the log.
    session: String,
    /// Held for as long as the journal is open: a session has one observer.
    _lock: File,
    file: File,
    size: u64,
    /// Reports that the server does not have yet.
    unacked: VecDeque<Numbered>,
    last_seq: u64,
    until: Option<Duration>,
    fence: u64,
    open: Option<Open>,
    /// The program's end was reported.
    exited: bool,
}

impl Journal {
    /// Opens the journal in a session's folder, with what an observer before this one wrote.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("journal.jsonl");
        let lock = observe(folder)?;
        let text = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64)?;
        let session = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut journal = Self {
            path,
            session,
            _lock: lock,
            file,
            size: whole as u64,
            unacked: VecDeque::new(),
            last_seq: 0,
            until: None,
            fence: 0,
            open: None,
            exited: false,
        };
        for line in text[..whole].split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(entry) => journal.learn(entry),
                Err(fault) => tracing::warn!(%fault, "a line of the journal is damaged and left out"),
            }
        }
        Ok(journal)
    }

    fn learn(&mut self, entry: Entry) {
        match entry {
            Entry::Base { seq, until_us, fence } => {
                (self.last_seq, self.fence) = (seq, fence);
                self.until = until_us.map(Duration::from_micros);
            }
            Entry::Until { until_us } => self.until = Some(Duration::from_micros(until_us)),
            Entry::Lease { offer } => {
                self.fence = self.fence.max(offer.fence);
                self.open = Some(Open { offer, receipts: Vec::new(), accepted: None, kept: None });
            }
            Entry::Kept { kept } => {
                if let Some(open) = &mut self.open {
                    open.kept = Some(*kept);
                }
            }
            Entry::Acked { seq } => self.unacked.retain(|n| n.seq > seq),
            Entry::Reports { reports, until_us } => {
                self.until = until_us.map(Duration::from_micros).or(self.until);
                reports.into_iter().for_each(|numbered| self.take(numbered));
            }
            Entry::Report { numbered } => self.take(numbered),
        }
    }

    fn take(&mut self, numbered: Numbered) {
        self.last_seq = self.last_seq.max(numbered.seq);
        self.follow(&numbered.report);
        self.unacked.push_back(numbered);
    }

    fn follow(&mut self, report: &Report) {
        self.exited |= matches!(report, Report::Exited { .. });
        let Some(open) = &mut self.open else { return };
        match report {
            Report::Receipt { attempt, receipt } if *attempt == open.offer.attempt => {
                open.receipts.push(*receipt);
                if receipt.step == Step::Accepted {
                    open.accepted = self.until;
                }
            }
            Report::Held { attempt, .. } | Report::Ended { attempt, .. }
                if *attempt == open.offer.attempt =>
            {
                self.open = None;
            }
            _ => {}
        }
    }

    /// Writes reports down, all of them or none. `until` says that everything from the recording up to there is among
    /// them or before.
    pub fn append(&mut self, at: UnixMillis, reports: &[Report], until: Option<Duration>) -> io::Result<()> {
        let number = |(i, report): (usize, &Report)| Numbered {
            seq: self.last_seq + 1 + i as u64,
            at,
            report: report.clone(),
        };
        let numbered: Vec<Numbered> = reports.iter().enumerate().map(number).collect();
        let until_us = until.map(|until| until.as_micros() as u64);
        let entry = Entry::Reports { reports: numbered, until_us };
        let mut line = Vec::new();
        put(&mut line, &entry)?;
        self.write(&line)?;
        for report in reports {
            log::report(&self.session, self.open.as_ref().map(|open| &open.offer), report);
        }
        self.learn(entry);
        if reports.iter().any(needs_disk) { self.file.sync_data() } else { Ok(()) }
    }

    /// Remembers an offer that was taken, before anything is done for it.
    pub fn lease(&mut self, offer: &Offer) -> io::Result<()> {
        self.remember(Entry::Lease { offer: offer.clone() })?;
        log::offered(&self.session, offer);
        Ok(())
    }

    /// Remembers what is needed to go on with the open attempt.
    pub fn keep(&mut self, kept: Kept) -> io::Result<()> {
        self.remember(Entry::Kept { kept: Box::new(kept) })
    }

    fn remember(&mut self, entry: Entry) -> io::Result<()> {
        let mut line = Vec::new();
        put(&mut line, &entry)?;
        self.learn(entry);
        self.write(&line)
    }

    /// Lets go of the open attempt without a report: the server has decided otherwise.
    pub fn forget(&mut self) {
        self.open = None;
    }

    /// The server has everything up to `seq`.
    ///
    /// A server that knows more than this journal (the folder was restored from a backup) is believed: numbers that it
    /// has seen are not given again, as it would take their reports for repeats.
    pub fn acked(&mut self, seq: u64) -> io::Result<()> {
        if seq > self.last_seq {
            self.last_seq = seq;
            let until_us = self.until.map(|u| u.as_micros() as u64);
            let mut line = Vec::new();
            put(&mut line, &Entry::Base { seq, until_us, fence: self.fence })?;
            self.write(&line)?;
        }
        if self.unacked.front().is_none_or(|first| first.seq > seq) {
            return Ok(());
        }
        self.unacked.retain(|n| n.seq > seq);
        if self.size > COMPACT_AT && self.unacked.is_empty() && self.open.is_none() {
            return self.compact();
        }
        let mut line = Vec::new();
        put(&mut line, &Entry::Acked { seq })?;
        self.write(&line)
    }

    /// Reports after `seq` that the server does not have, oldest first.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &Numbered> {
        self.unacked.iter().filter(move |n| n.seq > seq)
    }

    /// How many reports the server does not have.
    pub fn unacked(&self) -> usize {
        self.unacked.len()
    }

    /// The highest sequence number given.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Whether the server has everything.
    pub fn is_acked(&self) -> bool {
        self.unacked.is_empty()
    }

    /// Up to where the recording has been reported.
    pub fn until(&self) -> Option<Duration> {
        self.until
    }

    /// Whether the program's end was reported.
    pub fn has_exited(&self) -> bool {
        self.exited
    }

    /// The highest fence that was taken.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// The attempt that has not come to its end.
    pub fn open_attempt(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// Whether somebody removed the session's folder: there is nothing to tell of it any more.
    pub fn is_gone(&self) -> bool {
        !self.path.exists()
    }

    /// Marks the session as told to its end: nobody needs to look at it again.
    pub fn close(&mut self) {
        let told =
            OpenOptions::new().create(true).append(true).mode(0o600).open(self.path.with_file_name(TOLD));
        if let Err(fault) = told {
            tracing::warn!(%fault, "the session will be looked at again");
        }
    }

    fn compact(&mut self) -> io::Result<()> {
        let until_us = self.until.map(|u| u.as_micros() as u64);
        let mut line = Vec::new();
        put(&mut line, &Entry::Base { seq: self.last_seq, until_us, fence: self.fence })?;
        let fresh = self.path.with_extension("new");
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&line)?;
        file.sync_data()?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.size = line.len() as u64;
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        wire::fault::point("journal.write");
        if let Err(fault) = self.file.write_all(lines) {
            // Half a line must not be followed by a whole one.
            self.file.set_len(self.size)?;
            return Err(fault);
        }
        self.size += lines.len() as u64;
        wire::fault::point("journal.written");
        Ok(())
    }
}

/// Whether a session's folder holds a journal that was not told to its end and that nobody has open.
pub fn is_left(folder: &Path) -> bool {
    folder.join("journal.jsonl").exists() && !folder.join(TOLD).exists() && observe(folder).is_ok()
}

/// An intent must survive a power cut: what follows it cannot be taken back.
fn needs_disk(report: &Report) -> bool {
    matches!(report, Report::Receipt { receipt: Receipt { step: Step::Intent, .. }, .. })
}

fn put(lines: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, entry)?;
    lines.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::session::Exit;
    use wire::{AttemptId, PromptId};

    fn exited(code: i32) -> Report {
        Report::Exited { exit: Exit::Code { code } }
    }

    fn offer() -> Offer {
        let (attempt, prompt) = (AttemptId(7), PromptId(3));
        Offer { timeout_ms: 1, ..Offer::new(attempt, prompt, 9, "t") }
    }

    #[test]
    fn a_new_observer_knows_what_the_old_one_wrote_but_for_a_line_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.append(UnixMillis(1), &[exited(1), exited(2)], Some(Duration::from_micros(5))).unwrap();
        journal.acked(1).unwrap();
        journal.lease(&offer()).unwrap();
        let receipt = Receipt { step: Step::Intent, at: UnixMillis(2) };
        journal.append(UnixMillis(2), &[Report::Receipt { attempt: AttemptId(7), receipt }], None).unwrap();
        drop(journal);
        let path = dir.path().join("journal.jsonl");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"entry\":\"acked\",\"se");
        std::fs::write(&path, &bytes).unwrap();

        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.after(0).map(|n| n.seq).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((journal.last_seq(), journal.fence()), (3, 9));
        assert_eq!(journal.until(), Some(Duration::from_micros(5)));
        assert!(journal.open_attempt().unwrap().reached(Step::Intent));
    }

    #[test]
    fn g5_of_one_moment_a_crash_leaves_all_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let moment = |journal: &mut Journal, at: u64| {
            let reports: Vec<Report> = (0..3).map(exited).collect();
            journal.append(UnixMillis(1), &reports, Some(Duration::from_micros(at))).unwrap();
        };
        moment(&mut journal, 1);
        let path = dir.path().join("journal.jsonl");
        let first = std::fs::metadata(&path).unwrap().len();
        moment(&mut journal, 2);
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in usize::try_from(first).unwrap()..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let journal = Journal::open(dir.path()).unwrap();
            let known = (journal.last_seq(), journal.until().unwrap().as_micros());
            assert_eq!(known, if cut == whole.len() { (6, 2) } else { (3, 1) }, "cut at {cut}");
        }
    }

    #[test]
    fn a_new_observer_knows_where_an_attempt_ran_and_how_its_turn_ended() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.lease(&offer()).unwrap();
        let result = wire::prompt::PromptResult::new(wire::prompt::Outcome::Completed, "", "screen");
        let kept = Kept { dir: "/p".into(), result: Some(result), ..Kept::default() };
        journal.keep(Kept { result: None, ..kept.clone() }).unwrap();
        journal.keep(kept.clone()).unwrap();
        drop(journal);
        assert_eq!(Journal::open(dir.path()).unwrap().open_attempt().unwrap().kept, Some(kept));
    }

    #[test]
    fn an_attempt_that_ended_is_not_open() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.lease(&offer()).unwrap();
        let hold = wire::prompt::Hold { code: wire::prompt::HoldCode::NotIdle, text: String::new() };
        journal.append(UnixMillis(1), &[Report::Held { attempt: AttemptId(7), hold }], None).unwrap();
        drop(journal);
        assert_eq!(Journal::open(dir.path()).unwrap().open_attempt(), None);
    }

    #[test]
    fn an_acknowledged_journal_does_not_grow_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        for i in 0..20_000 {
            journal.append(UnixMillis(i), &[exited(0)], Some(Duration::from_micros(i as u64))).unwrap();
            journal.acked(journal.last_seq()).unwrap();
        }
        assert!(std::fs::metadata(dir.path().join("journal.jsonl")).unwrap().len() <= COMPACT_AT + 4096);
        drop(journal);
        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!((journal.last_seq(), journal.until()), (20_000, Some(Duration::from_micros(19_999))));
    }
}
