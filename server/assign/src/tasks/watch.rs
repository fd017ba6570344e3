//! Watches a folder: files become prompts, ends become files. Must not: keep what folder and server do not say.
//!
//! The folder is looked at four times a second instead of being told of changes: a file must be seen at rest anyway, a
//! look is one reading of one folder, and it works where no system tells of changes (network, containers).
//!
//! Invariant: a prompt is queued under a key made of the folder, the file's name and its content. Whoever is killed and
//! started again asks for it under the same key and finds the prompt that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use assign::task::{self, Broken, Task};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::MissedTickBehavior;
use wire::PromptId;
use wire::feed::ToViewer;
use wire::http::PromptDetail;
use wire::prompt::{Outcome, Prompt, PromptState};
use wire::text::{cut, escape, hex};

use super::WatchArgs;
use super::folder::{Folder, Text, Unread};
use super::name::Name;
use super::record::{Record, summary};
use super::rest::{Rest, Sight};
use crate::client::{Client, Feed};
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::queued;
use crate::seek::{again, patiently};
use crate::sending;
use crate::tables::now;
use crate::wait::{CANCELLED, HELD, TIMED_OUT, over};

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Looks that are left out after one that went wrong: what is wrong with a disk or a server lasts.
const PAUSE: u32 = 20;
/// Most prompts that are open at once; other files wait in the folder.
const OPEN_MAX: usize = 1_000;

/// What is known of a file.
struct Entry {
    rest: Rest,
    life: Life,
}

enum Life {
    /// It was not taken yet.
    New,
    /// It is no task as it looks now; it is tried again when it looks otherwise.
    Broken,
    /// It is a prompt.
    Open(Box<Open>),
}

struct Open {
    task: Task,
    sha256: String,
    prompt: Prompt,
    /// What was told of it last.
    told: Option<(PromptState, Option<String>)>,
}

/// How files ended in this watch.
#[derive(Default)]
struct Counts {
    failed: usize,
    timed_out: usize,
    cancelled: usize,
}

/// A change, for programs.
#[derive(Serialize)]
struct Change<'a> {
    task: &'a str,
    prompt: Option<PromptId>,
    state: &'a str,
    reason: Option<&'a str>,
    /// Where the file is now, when it was moved.
    file: Option<&'a str>,
}

struct Watcher<'a> {
    client: &'a Client,
    print: &'a Printer,
    folder: Folder,
    base: std::path::PathBuf,
    entries: BTreeMap<Name, Entry>,
    names: BTreeMap<PromptId, Name>,
    /// Warnings that were told.
    warned: BTreeSet<String>,
    counts: Counts,
    began: Instant,
    /// Something may have been missed: all open prompts are to be asked for.
    behind: bool,
    /// Looks to leave out.
    pause: u32,
}

/// Watches; with `once` until everything that is there has ended. Gives the exit code.
pub async fn watch(client: &Client, print: &Printer, args: WatchArgs) -> Result<u8, Failure> {
    let folder = Folder::open(&args.dir)?;
    folder.sweep();
    let mut watcher = Watcher {
        client,
        print,
        folder,
        base: args.dir,
        entries: BTreeMap::new(),
        names: BTreeMap::new(),
        warned: BTreeSet::new(),
        counts: Counts::default(),
        began: Instant::now(),
        behind: false,
        pause: 0,
    };
    let mut feed = client.feed().await?;
    if !args.once {
        note!("watching {}; Ctrl-C ends that", escape(&watcher.base.display().to_string()));
    }
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (looked, done) = tokio::select! {
            _ = look.tick() => (true, watcher.look().await),
            message = feed.next() => match message {
                Some(message) => (false, watcher.hear(message).await),
                None => {
                    feed = watcher.listen_again(args.once).await?;
                    (false, Ok(()))
                }
            },
        };
        match done {
            Ok(()) if args.once && looked && watcher.rests() => return Ok(watcher.code()),
            Ok(()) => {}
            Err(failure @ (Failure::Closed | Failure::Usage(_))) => return Err(failure),
            Err(failure) if args.once => return Err(failure),
            Err(failure) => {
                watcher.warn(failure.text().unwrap_or_default().to_owned());
                (watcher.behind, watcher.pause) = (true, PAUSE);
            }
        }
    }
}

impl Watcher<'_> {
    fn warn(&mut self, text: String) {
        // What is told again and again is told once.
        if self.warned.len() > OPEN_MAX {
            self.warned.clear();
        }
        if self.warned.insert(text.clone()) {
            note!("assign: {text}");
        }
    }

    async fn listen_again(&mut self, once: bool) -> Result<Feed, Failure> {
        note!("the server is gone; looking for it");
        loop {
            match again(self.client).await {
                Err(failure) if once => return Err(failure),
                Err(failure) => self.warn(failure.text().unwrap_or_default().to_owned()),
                feed => return feed,
            }
        }
    }

    /// Looks at the folder once.
    async fn look(&mut self) -> Result<(), Failure> {
        if self.pause > 0 {
            self.pause -= 1;
            return Ok(());
        }
        if self.behind {
            for id in self.names.keys().copied().collect::<Vec<_>>() {
                self.ask(id).await?;
            }
            self.behind = false;
        }
        let listing =
            self.folder.list().map_err(|e| Failure::failed(format!("cannot read the folder: {e}")))?;
        listing.misnamed.into_iter().for_each(|why| self.warn(why));
        let there = &listing.tasks;
        self.entries.retain(|name, entry| there.contains_key(name) || matches!(entry.life, Life::Open(_)));
        let tick = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let clock = now().0;
        let mut went = Ok(());
        for (name, sight) in listing.tasks {
            let before = self.entries.get(&name);
            match before.map(|entry| &entry.life) {
                Some(Life::Open(_)) => continue,
                Some(Life::Broken) if before.is_some_and(|entry| entry.rest.sight == sight) => continue,
                Some(Life::Broken | Life::New) | None => {}
            }
            let rest = Rest::look(before.map(|entry| entry.rest), sight, tick);
            self.entries.insert(name.clone(), Entry { rest, life: Life::New });
            if rest.rests(tick, clock) && self.names.len() < OPEN_MAX {
                match self.take(&name, rest.rests_long(tick, clock)).await {
                    Ok(()) => {}
                    Err(failure @ (Failure::Closed | Failure::Unreachable(_))) => return Err(failure),
                    // One that goes wrong does not hold up the others.
                    Err(failure) => went = Err(failure),
                }
            }
        }
        // Those whose end was told, but could not be written down then.
        let ended = self.open().filter(|(_, open)| open.prompt.state.is_final());
        for name in ended.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            went = went.and(self.finish(&name));
        }
        went
    }

    fn open(&self) -> impl Iterator<Item = (&Name, &Open)> {
        self.entries.iter().filter_map(|(name, entry)| match &entry.life {
            Life::Open(open) => Some((name, open.as_ref())),
            Life::New | Life::Broken => None,
        })
    }

    /// Takes a file that rests.
    async fn take(&mut self, name: &Name, for_long: bool) -> Result<(), Failure> {
        let Some(sight) = self.entries.get(name).map(|entry| entry.rest.sight) else { return Ok(()) };
        if self.folder.holds(&name.error(), &mark(&sight)) {
            self.set(name, Life::Broken);
            return self.tell(name, None, "broken", Some("as it was; see its error file"), None);
        }
        let text = match self.folder.read(name) {
            // Gone, or written again: another look.
            Err(Unread::Failed(e)) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ResourceBusy) => {
                return Ok(());
            }
            Err(Unread::Failed(e)) => return self.broken(name, &sight, &format!("it cannot be read: {e}")),
            Err(Unread::Refused(why)) => return self.broken(name, &sight, &why),
            Ok(text) if text.sight != sight => return Ok(()),
            Ok(text) => text,
        };
        match task::parse(&text.text, &jiff::Zoned::now()) {
            Err(Broken::CutOff) if !for_long => Ok(()),
            Err(broken) => self.broken(name, &sight, &broken.to_string()),
            Ok(task) => {
                task.warnings.iter().for_each(|why| self.warn(format!("{}: {why}", name.task())));
                self.queue(name, task, text).await
            }
        }
    }

    /// Queues a task, or finds the prompt that it is already.
    async fn queue(&mut self, name: &Name, task: Task, text: Text) -> Result<(), Failure> {
        let digest =
            Sha256::digest([self.folder.name(), name.as_str().as_bytes(), text.sha256.as_bytes()].join(&0));
        let key = format!("task/{}/", &hex(&digest)[..40]);
        let prompt = match queued::find(self.client, &key).await? {
            // It was put there again after its end was written down: it is wanted once more. Without that it is the
            // same file still, whatever moved its time.
            Some(last)
                if last.state.is_final()
                    && text.sight.changed_ms() > last.changed.0
                    && self.folder.holds(&name.result(), &format!("\"prompt\": {},", last.id)) =>
            {
                self.post(&task, format!("{key}{}", last.id)).await
            }
            Some(there) => Ok(there),
            None => self.post(&task, format!("{key}0")).await,
        };
        match prompt {
            Ok(prompt) => {
                if let Err(e) = self.folder.remove(&name.error()) {
                    self.warn(format!("{}: cannot be removed: {e}", name.error()));
                }
                self.names.insert(prompt.id, name.clone());
                let open = Open { task, sha256: text.sha256, prompt: prompt.clone(), told: None };
                self.set(name, Life::Open(Box::new(open)));
                self.seen(prompt).await
            }
            Err(Failure::Usage(why) | Failure::NotFound(why)) => self.broken(name, &text.sight, &why),
            Err(failure) => Err(failure),
        }
    }

    async fn post(&self, task: &Task, key: String) -> Result<Prompt, Failure> {
        let mut asked = task.prompt.clone();
        asked.dir = asked.dir.as_deref().map(|dir| sending::directory(dir, &self.base)).transpose()?;
        queued::post_once(self.client, &asked, &key).await
    }

    fn set(&mut self, name: &Name, life: Life) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.life = life;
        }
    }

    /// Says what is wrong with a file, beside it, once.
    fn broken(&mut self, name: &Name, sight: &Sight, why: &str) -> Result<(), Failure> {
        let text = format!(
            "{} is no task:\n{why}\n\nIt is tried again when it changes. ({})\n",
            name.task(),
            mark(sight)
        );
        if let Err(e) = self.folder.write(&name.error(), text.as_bytes()) {
            self.warn(format!("{} cannot be written: {e}", name.error()));
        }
        self.set(name, Life::Broken);
        self.tell(name, None, "broken", Some(why), None)
    }

    async fn hear(&mut self, message: ToViewer) -> Result<(), Failure> {
        match message {
            ToViewer::Prompt { prompt } => self.seen(prompt).await,
            // What changed before this greeting may be in none of its lists.
            ToViewer::Hello { .. } => {
                self.behind = true;
                Ok(())
            }
            ToViewer::PromptGone { prompt } => self.forgotten(prompt),
            _ => Ok(()),
        }
    }

    async fn ask(&mut self, id: PromptId) -> Result<(), Failure> {
        let path = format!("/v1/prompts/{id}");
        match patiently(async || self.client.get::<PromptDetail>(&path).await).await {
            Ok(detail) => self.took(detail.prompt),
            Err(Failure::NotFound(_)) => self.forgotten(id),
            Err(failure) => Err(failure),
        }
    }

    /// A prompt as the feed tells it, which cuts long answers.
    async fn seen(&mut self, prompt: Prompt) -> Result<(), Failure> {
        if !self.names.contains_key(&prompt.id) {
            return Ok(());
        }
        if prompt.state.is_final() { self.ask(prompt.id).await } else { self.took(prompt) }
    }

    /// A prompt as it is.
    fn took(&mut self, prompt: Prompt) -> Result<(), Failure> {
        let Some(name) = self.names.get(&prompt.id).cloned() else { return Ok(()) };
        let Some(Entry { life: Life::Open(open), .. }) = self.entries.get_mut(&name) else { return Ok(()) };
        open.prompt = prompt;
        if open.prompt.state.is_final() {
            return self.finish(&name);
        }
        let now = (open.prompt.state, open.prompt.hold.as_ref().map(|hold| hold.text.clone()));
        if open.told.as_ref() == Some(&now) {
            return Ok(());
        }
        open.told = Some(now.clone());
        let id = open.prompt.id;
        self.tell(&name, Some(id), now.0.as_str(), now.1.as_deref(), None)
    }

    /// Nobody can say any more what became of a file's prompt; running it again would be a guess.
    fn forgotten(&mut self, id: PromptId) -> Result<(), Failure> {
        let Some(name) = self.names.remove(&id) else { return Ok(()) };
        let Some(sight) = self.entries.get(&name).map(|entry| entry.rest.sight) else { return Ok(()) };
        let why = format!("its prompt {id} was forgotten by the server; to run it anew, save it again");
        self.broken(&name, &sight, &why)
    }

    /// Writes down what came of a task and archives it. What cannot be written is tried at the next look.
    fn finish(&mut self, name: &Name) -> Result<(), Failure> {
        let Some(Entry { life: Life::Open(open), .. }) = self.entries.get(name) else { return Ok(()) };
        let record = Record::of(name, &open.task, &open.sha256, &open.prompt);
        let json = serde_json::to_string_pretty(&record).map_err(|e| Failure::failed(e.to_string()))?;
        let (id, state) = (open.prompt.id, open.prompt.state);
        let archive = if state == PromptState::Completed { "done" } else { "failed" };
        let written = self
            .folder
            .write(&name.summary(), summary(name, &open.prompt).as_bytes())
            .and_then(|()| self.folder.write(&name.result(), format!("{json}\n").as_bytes()))
            .and_then(|()| self.folder.archive(name, archive, &open.sha256));
        let reason = open.prompt.result.as_ref().filter(|_| archive == "failed").map(|r| r.reason.clone());
        let late = open.prompt.result.as_ref().is_some_and(|r| r.outcome == Outcome::TimedOut);
        match written {
            Ok(moved) => {
                self.counts.failed += usize::from(state == PromptState::Failed);
                self.counts.timed_out += usize::from(state == PromptState::Failed && late);
                self.counts.cancelled += usize::from(state == PromptState::Cancelled);
                self.names.remove(&id);
                self.entries.remove(name);
                self.tell(name, Some(id), state.as_str(), reason.as_deref(), moved.as_deref())
            }
            Err(e) => Err(Failure::failed(format!("{name}: its result cannot be written: {e}"))),
        }
    }

    fn tell(
        &self,
        name: &Name,
        prompt: Option<PromptId>,
        state: &str,
        reason: Option<&str>,
        file: Option<&str>,
    ) -> Result<(), Failure> {
        self.print.object_or(&Change { task: name.as_str(), prompt, state, reason, file }, || {
            let prompt = prompt.map(|id| format!("prompt {id} is ")).unwrap_or_default();
            let reason = reason.map(|why| format!(": {}", escape(&cut(why, 200)))).unwrap_or_default();
            let file = file.map(|file| format!("; moved to {file}")).unwrap_or_default();
            format!("{name}: {prompt}{state}{reason}{file}")
        })
    }

    /// Whether nothing that is there goes on without a person; what has no room waits for one, too.
    fn rests(&self) -> bool {
        let full = self.names.len() >= OPEN_MAX;
        self.entries.values().all(|entry| match &entry.life {
            Life::New => full,
            Life::Broken => true,
            Life::Open(open) => over(&open.prompt) && !open.prompt.state.is_final(),
        })
    }

    fn code(&self) -> u8 {
        let Counts { failed, timed_out, cancelled } = self.counts;
        let broken = self.entries.values().filter(|entry| matches!(entry.life, Life::Broken)).count();
        match () {
            () if failed > 0 && failed == timed_out && broken == 0 => TIMED_OUT,
            () if failed + broken > 0 => 1,
            () if self.open().next().is_some() => HELD,
            () if cancelled > 0 => CANCELLED,
            () => 0,
        }
    }
}

/// A file as it looked, in a word: what was wrong with it is wrong as long as it looks so.
fn mark(sight: &Sight) -> String {
    format!("mark {}", &hex(&Sha256::digest(format!("{sight:?}")))[..16])
}
