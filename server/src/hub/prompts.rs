//! Prompts: queueing, people's wishes, and the one place where a life changes. Must not: choose sessions.

use sha2::{Digest, Sha256};
use wire::http::ErrorCode;
use wire::prompt::{NewPrompt, Prompt};
use wire::wrapper::ToWrapper;
use wire::{PromptId, UnixMillis};

use super::Control;
use super::command::{Change, Reply};
use crate::fault::Fault;
use crate::job::{Effect, JobEvent, NotNow, Reach};
use crate::store::{Kept, Queued, Stored, StoredPrompt};

/// Tries in all when the sender does not say.
const ATTEMPTS: u32 = 3;
/// Most tries that may be asked for.
const ATTEMPTS_MAX: u32 = 20;
/// Longest turn when the sender does not say, in milliseconds.
const TIMEOUT: u64 = 30 * 60_000;
/// Longest turn that may be asked for: a week, in milliseconds.
const TIMEOUT_MAX: u64 = 7 * 24 * 60 * 60_000;
/// Longest name, directory or branch, in bytes.
const NAME_MAX: usize = 4096;

impl Control {
    /// Queues a prompt; true when it is new.
    pub(super) fn enqueue(
        &mut self,
        asked: NewPrompt,
        key: Option<String>,
        reply: Reply<(bool, Prompt)>,
        now: UnixMillis,
    ) -> Stored<()> {
        let queued = match check(asked, key) {
            Ok(queued) => queued,
            Err(fault) => {
                self.out.answer(reply, Err(fault));
                return Ok(());
            }
        };
        let (id, new) = match self.store.enqueue(&queued, now)? {
            Kept::New(id) => (id, true),
            Kept::There(id) => (id, false),
            Kept::OtherContent(id) => {
                let fault = Fault::conflict(
                    format!("this idempotency key was used for prompt {id} with other content"),
                    "use a new key for a new prompt",
                );
                self.out.answer(reply, Err(fault));
                return Ok(());
            }
        };
        self.out.prompts.insert(id);
        self.stirred = true;
        let value = match self.store.prompt(id)? {
            Some(stored) => Ok((new, self.store.show(&stored)?)),
            None => Err(Fault::no_prompt(id)),
        };
        self.out.answer(reply, value);
        Ok(())
    }

    /// A person's wish about a prompt.
    pub(super) fn change(
        &mut self,
        id: PromptId,
        change: Change,
        reply: Reply<Prompt>,
        now: UnixMillis,
    ) -> Stored<()> {
        let Some(mut prompt) = self.store.prompt(id)? else {
            self.out.answer(reply, Err(Fault::no_prompt(id)));
            return Ok(());
        };
        let reach = self.reach(&prompt);
        let event = match &change {
            Change::Cancel => JobEvent::Cancel(reach),
            Change::Retry => JobEvent::Retry(reach),
            Change::Reassign(_) => JobEvent::Reassign(reach),
        };
        let before = prompt.clone();
        if let Change::Reassign(target) = &change {
            prompt.avoid = prompt.session.clone().filter(|_| target.is_none());
            prompt.asked.target = target.clone();
        }
        let value = match self.advance(&mut prompt, event, now)? {
            Ok(()) => Ok(self.store.show(&prompt)?),
            Err(not_now) => Err(refusal(&before, &change, not_now)),
        };
        self.out.answer(reply, value);
        Ok(())
    }

    /// A prompt's life goes on by a wrapper's word.
    pub(super) fn job(&mut self, id: PromptId, event: JobEvent, now: UnixMillis) -> Stored<()> {
        let Some(mut prompt) = self.store.prompt(id)? else { return Ok(()) };
        if let Err(not_now) = self.advance(&mut prompt, event, now)? {
            tracing::warn!(prompt = %id, why = not_now.why, "a wrapper's word did not fit");
        }
        Ok(())
    }

    /// Changes a life by one event, does what follows from it, and keeps it.
    pub(super) fn advance(
        &mut self,
        prompt: &mut StoredPrompt,
        event: JobEvent,
        now: UnixMillis,
    ) -> Stored<Result<(), NotNow>> {
        let before = prompt.clone();
        let effects = match prompt.job.apply(event, now, spread(prompt.id, now)) {
            Ok(effects) => effects,
            Err(not_now) => return Ok(Err(not_now)),
        };
        if *prompt == before && effects.is_empty() {
            return Ok(Ok(()));
        }
        prompt.changed = now;
        for effect in effects {
            match effect {
                Effect::EndLease(attempt, result) => {
                    self.store.end_attempt(attempt, &result)?;
                    self.free(attempt);
                }
                Effect::AskCancel(attempt) => {
                    if let Some(line) = prompt.session.as_ref().and_then(|s| self.lines.get(s)) {
                        self.out.say(line, ToWrapper::Cancel { attempt });
                    }
                }
            }
        }
        self.store.save_prompt(prompt)?;
        self.out.prompts.insert(prompt.id);
        self.stirred = true;
        Ok(Ok(()))
    }

    fn free(&mut self, attempt: wire::AttemptId) {
        for (id, live) in &mut self.sessions {
            if live.lease.is_some_and(|(held, _)| held == attempt) {
                live.lease = None;
                self.out.sessions.insert(id.clone());
            }
        }
    }

    fn reach(&self, prompt: &StoredPrompt) -> Reach {
        match prompt.session.as_ref().and_then(|s| self.sessions.get(s)) {
            Some(live) if live.link.is_some() => Reach::Connected,
            Some(_) | None => Reach::Gone,
        }
    }
}

/// Checks what was asked, cleans its text and fills in the defaults.
fn check(mut asked: NewPrompt, key: Option<String>) -> Result<Queued, Fault> {
    let hash = match serde_json::to_vec(&asked) {
        Ok(body) => hex(&Sha256::digest(body)),
        Err(_) => return Err(Fault::internal()),
    };
    if key.as_ref().is_some_and(|k| k.is_empty() || k.len() > 200) {
        return Err(Fault::bad(
            "the idempotency key is empty or longer than 200 bytes",
            "send a shorter one",
        ));
    }
    if asked.text.len() > wire::PROMPT_MAX {
        let max = wire::PROMPT_MAX >> 10;
        return Err(Fault::new(
            ErrorCode::TooLarge,
            format!("the prompt is longer than {max} KiB"),
            "write it to a file and send a prompt that names the file",
        ));
    }
    asked.text = wire::text::clean_prompt(&asked.text);
    if asked.text.trim().is_empty() {
        return Err(Fault::bad("the prompt has no text", "send some"));
    }
    if asked.priority > 10 {
        return Err(Fault::bad(format!("priority {} is outside 0 to 10", asked.priority), "10 is first"));
    }
    for (what, text) in [
        ("target", &asked.target),
        ("directory", &asked.dir),
        ("branch", &asked.branch),
        ("agent", &asked.agent),
    ] {
        let wrong = |t: &String| t.is_empty() || t.len() > NAME_MAX || t.chars().any(char::is_control);
        if text.as_ref().is_some_and(wrong) {
            return Err(Fault::bad(
                format!("the {what} is empty, too long, or holds control characters"),
                "leave it out or correct it",
            ));
        }
    }
    asked.dir = asked.dir.map(plain_dir).transpose()?;
    let attempts = asked.attempts.unwrap_or(ATTEMPTS);
    if attempts == 0 || attempts > ATTEMPTS_MAX {
        return Err(Fault::bad(
            format!("{attempts} attempts are outside 1 to {ATTEMPTS_MAX}"),
            "3 is the default",
        ));
    }
    let timeout_ms = asked.timeout_ms.unwrap_or(TIMEOUT);
    if !(1_000..=TIMEOUT_MAX).contains(&timeout_ms) {
        return Err(Fault::bad(
            "the timeout is shorter than a second or longer than a week",
            "30m is the default",
        ));
    }
    Ok(Queued { asked, attempts, timeout_ms, key: key.map(|k| (k, hash)) })
}

/// The one way to write a directory: absolute, no `.` or `..`, no slash at the end.
fn plain_dir(dir: String) -> Result<String, Fault> {
    let path = std::path::Path::new(&dir);
    let plain = path
        .components()
        .all(|c| matches!(c, std::path::Component::RootDir | std::path::Component::Normal(_)));
    if !path.is_absolute() || !plain {
        return Err(Fault::bad(
            format!("the directory '{}' is not absolute and plain", wire::text::escape(&dir)),
            "write it from the root, without `.` and `..`",
        ));
    }
    Ok(path.components().collect::<std::path::PathBuf>().to_string_lossy().into_owned())
}

fn refusal(prompt: &StoredPrompt, change: &Change, not_now: NotNow) -> Fault {
    let wish = match change {
        Change::Cancel => "cancelled",
        Change::Retry => "retried",
        Change::Reassign(_) => "reassigned",
    };
    Fault::conflict(
        format!("prompt {} is {} and cannot be {wish}: {}", prompt.id, prompt.job.state(), not_now.why),
        format!("`assign show {}` says more", prompt.id),
    )
}

/// A number in 0..1 that differs between prompts and moments: retries need to move apart, not to be secret.
fn spread(id: PromptId, now: UnixMillis) -> f64 {
    let mixed = (id.0 ^ now.0).cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as f64 / (1u64 << 24) as f64
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> NewPrompt {
        serde_json::from_value(serde_json::json!({ "text": text })).unwrap()
    }

    #[test]
    fn a32_the_text_is_cleaned_where_it_comes_in() {
        let queued = check(asked("run\u{1b}[201~\rrm -rf\u{9b}x\0\u{202e}"), None).unwrap();
        assert_eq!(queued.asked.text, "run[201~\nrm -rfx");
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_what_to_do() {
        let long = "x".repeat(wire::PROMPT_MAX + 1);
        for text in ["", " \n\t", "\u{1b}\u{7}", &long] {
            assert!(check(asked(text), None).is_err());
        }
        for dir in ["relative", "/a/../b", "/a\u{7}"] {
            assert!(check(NewPrompt { dir: Some(dir.into()), ..asked("x") }, None).is_err(), "{dir}");
        }
        let dir = check(NewPrompt { dir: Some("/a//b/".into()), ..asked("x") }, None).unwrap().asked.dir;
        assert_eq!(dir.as_deref(), Some("/a/b"));
        assert!(check(NewPrompt { priority: 11, ..asked("x") }, None).is_err());
        assert!(check(NewPrompt { attempts: Some(0), ..asked("x") }, None).is_err());
        assert!(check(NewPrompt { timeout_ms: Some(1), ..asked("x") }, None).is_err());
    }
}
