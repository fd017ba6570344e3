//! One scripted agent in a session, one after the other when it is killed, and all that it received.
//! Must not: decide what is right.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::await_answer;
use crate::{Muster, api::Api, is_alive, signal};

/// A place for one agent.
pub struct Slot<'m> {
    muster: &'m Muster,
    api: Api,
    project: PathBuf,
    number: usize,
    generation: usize,
    manners: Vec<String>,
    env: Vec<(String, String)>,
    /// The present session.
    id: String,
    agent: i64,
    /// The process that holds the session.
    pub holder: i64,
    journal_at: u64,
}

impl<'m> Slot<'m> {
    /// Starts an agent and waits until it can be prompted.
    pub fn start(muster: &'m Muster, number: usize, manners: &[String]) -> Self {
        Self::start_with(muster, number, manners, &[])
    }

    /// The same, its sessions with variables of their own.
    pub fn start_with(muster: &'m Muster, number: usize, manners: &[String], env: &[(&str, &str)]) -> Self {
        let project = muster.project(&format!("p{number}"));
        let mut slot = Self {
            muster,
            api: muster.api(),
            project,
            number,
            generation: 0,
            manners: manners.to_vec(),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            id: String::new(),
            agent: 0,
            holder: 0,
            journal_at: 0,
        };
        slot.renew();
        slot
    }

    /// Starts another agent in the place of the one that is gone.
    pub fn renew(&mut self) {
        self.generation += 1;
        let kept = self.kept(self.generation);
        let keep = ["--keep", kept.to_str().expect("temporary folders are UTF-8"), "--start-ms", "0"];
        let manners: Vec<&str> = keep.into_iter().chain(self.manners.iter().map(String::as_str)).collect();
        let env: Vec<_> = self.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.muster.scripted_with(&self.name(), &self.project, &manners, &env);
        let live = crate::wait_for("the session", || self.muster.live(&self.name()));
        self.id = live["id"].as_str().expect("it has an id").to_owned();
        self.agent = live["pid"].as_i64().expect("it has a process");
        self.holder = live["holder"].as_i64().expect("it has a holder");
        self.journal_at = 0;
        self.rest();
    }

    /// Ends the agent.
    pub fn end(&self) {
        signal(self.agent, Signal::KILL);
    }

    /// Its name.
    pub fn name(&self) -> String {
        format!("a{}-{}", self.number, self.generation)
    }

    /// Where what an agent of this place received is kept.
    fn kept(&self, generation: usize) -> PathBuf {
        self.muster.folder().join(format!("kept-{}-{generation}", self.number))
    }

    /// Waits until the agent is idle and the server knows it; `false`: in vain.
    pub fn rest(&self) -> bool {
        let path = format!("/v1/sessions/{}", self.name());
        self.await_answer(
            |api| api.get(&path),
            |s| s["claim"]["state"] == "idle" && s["link"] == "connected" && s["prompt"].is_null(),
        )
        .is_some()
    }

    /// The session, as the server tells it.
    fn session(&self) -> Option<Value> {
        self.api.get(&format!("/v1/sessions/{}", self.name())).ok()
    }

    /// A prompt, as the server tells it.
    pub fn prompt(&self, id: i64) -> Option<Value> {
        self.api.get(&format!("/v1/prompts/{id}")).ok()
    }

    /// Waits as [`Slot::rest`] does; in vain is a fault.
    pub fn rested(&self) -> Result<(), String> {
        self.rest().then_some(()).ok_or_else(|| format!("it does not come to rest: {:?}", self.session()))
    }

    /// Queues a prompt for it; the prompt's id. Its text is the key that keeps it one prompt, however often it is sent.
    pub fn send(&self, asked: &Value) -> i64 {
        let key = asked["text"].as_str().unwrap_or_default();
        let sent = self.await_answer(|api| api.post_once("/v1/prompts", asked, key), |_| true);
        sent.and_then(|p| p["id"].as_i64()).expect("the server takes a prompt")
    }

    /// A prompt that settles within [`SETTLE`], as it stands then.
    pub fn await_settled(&self, prompt: i64, settled: impl Fn(&Value) -> bool) -> Option<Value> {
        let path = format!("/v1/prompts/{prompt}");
        self.await_answer(|api| api.get(&path), settled)
    }

    /// Calls a prompt off and empties the composer, as a person would.
    pub fn clear(&self, prompt: i64) {
        // It may have ended meanwhile.
        let _ = self.api.post(&format!("/v1/prompts/{prompt}/cancel"), &json!({}));
        signal(self.agent, Signal::USR1);
    }

    fn await_answer(
        &self,
        ask: impl Fn(&Api) -> Result<Value, String>,
        will_do: impl Fn(&Value) -> bool,
    ) -> Option<Value> {
        await_answer(self.muster, &self.api, ask, will_do)
    }

    /// Waits until the session's journal tells of a step, or `over` says that it will not.
    pub fn await_step(&mut self, step: &str, mut over: impl FnMut() -> bool) -> bool {
        let path = self.journal();
        let mark = format!("\"step\":\"{step}\"");
        let mut looks = 0u32;
        loop {
            let mut new = String::new();
            if let Ok(mut file) = std::fs::File::open(&path) {
                let length = file.metadata().map_or(0, |m| m.len());
                let from = if length < self.journal_at { 0 } else { self.journal_at };
                let read = file.seek(SeekFrom::Start(from)).and_then(|_| file.read_to_string(&mut new));
                // A line that is being written is read again.
                let whole = new.rfind('\n').map_or(0, |at| at + 1);
                new.truncate(whole);
                if read.is_ok() {
                    self.journal_at = from + whole as u64;
                }
            }
            if new.contains(&mark) {
                return true;
            }
            looks += 1;
            if looks.is_multiple_of(64) && over() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What the journal holds by now is of no interest.
    pub fn forget_steps(&mut self) {
        self.journal_at = std::fs::metadata(self.journal()).map_or(0, |m| m.len());
    }

    /// The session's folder.
    fn folder(&self) -> PathBuf {
        self.muster.home().join("state/sessions").join(&self.id)
    }

    /// Where its observer writes down what it does.
    pub fn journal(&self) -> PathBuf {
        self.folder().join("journal.jsonl")
    }

    /// The files of its recording.
    pub fn recording(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder()).into_iter().flatten().flatten().map(|file| file.path());
        files.filter(|path| path.extension().is_some_and(|e| e == "mrec")).collect()
    }

    /// The process that observes the session now.
    pub fn observer(&self) -> Option<i64> {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.holder)).ok()?;
        let is_observer = |pid: &i64| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(1) == Some(b"observer") && is_alive(*pid)
        };
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(is_observer)
    }

    /// What the holder read and wrote, in its order: `true` for what came from the agent.
    pub fn order(&self) -> Vec<(bool, String)> {
        self.muster.recorded(&self.id)
    }

    /// How often each text was pasted into the agents of this place.
    pub fn pasted(&self) -> HashMap<String, usize> {
        let mut all = HashMap::new();
        for generation in 1..=self.generation {
            let bytes = std::fs::read(self.kept(generation)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            for part in text.split("\x1b[200~").skip(1) {
                let pasted = part.split("\x1b[201~").next().unwrap_or_default();
                *all.entry(pasted.to_owned()).or_default() += 1;
            }
        }
        all
    }
}

/// Whether nothing more happens to a prompt without a person: it is final, or held for one.
pub fn settled(detail: &Value) -> bool {
    let held = ["unknown", "not_seen", "not_accepted", "person", "not_prepared", "prerequisite"];
    match detail["prompt"]["state"].as_str() {
        Some("completed" | "failed" | "cancelled") => true,
        Some("held") => detail["prompt"]["hold"]["code"].as_str().is_some_and(|code| held.contains(&code)),
        _ => false,
    }
}
