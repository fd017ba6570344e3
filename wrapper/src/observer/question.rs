//! The dialog that is open, as it is told, and the keys that answer it. Must not: type them.

use std::path::Path;

use wire::UnixMillis;
use wire::prompt::{Hold, HoldCode};
use wire::session::Dialog;
use wire::wrapper::Choice;

use crate::{report, request};

/// A dialog that changed this recently is not answered: the person saw another one.
const DIALOG_GRACE_MS: u64 = 500;

/// What an agent asks, if it asks.
#[derive(Debug)]
pub struct Question {
    /// The dialog. Its id and its paths stay as they were when it appeared.
    open: Option<Dialog>,
    since: UnixMillis,
    /// The id of the dialog for which keys were given out.
    answered: Option<String>,
    /// The number of the request for which a rule's keys were given out.
    ruled: Option<u64>,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A person, at a screen.
    Person,
    /// A rule over the structured request.
    Rule,
}

impl Default for Question {
    fn default() -> Self {
        Self { open: None, since: UnixMillis(0), answered: None, ruled: None }
    }
}

impl Question {
    /// A dialog opened, changed or closed; `unread` bytes of the session's output were not seen by who found it.
    pub fn changed(&mut self, dialog: Option<&extractor::Dialog>, unread: u64, dir: &Path, now: UnixMillis) {
        let mut open = dialog.map(|dialog| report::dialog(dialog, unread + dialog.place, dir));
        match (&mut open, &self.open) {
            (Some(open), Some(before)) if open.id == before.id => open.request.clone_from(&before.request),
            _ => self.since = now,
        }
        self.open = open;
    }

    /// The dialog.
    pub fn open(&self) -> Option<&Dialog> {
        self.open.as_ref()
    }

    /// Whether the dialog has just appeared. A person saw another one then, and an agent may not hear keys yet.
    pub fn is_fresh(&self, now: UnixMillis) -> bool {
        self.open.is_some() && now.since(self.since) < DIALOG_GRACE_MS
    }

    /// The bytes that answer a dialog, if it is still the one that was shown, and has not been answered. A rule that
    /// judged the request needs no time to look, but the dialog must be about that request.
    pub fn answer(
        &mut self,
        seen: Option<&extractor::Dialog>,
        id: &str,
        choice: &Choice,
        by: By,
        (dir, now): (&Path, UnixMillis),
    ) -> Result<Vec<u8>, Hold> {
        let refuse = |text: &str| Err(Hold { code: HoldCode::NotIdle, text: text.to_owned() });
        let (Some(seen), Some(open)) = (seen, &self.open) else {
            return refuse("no dialog is open any more");
        };
        if open.id != id {
            return refuse("the dialog has changed; look at it and answer again");
        }
        if self.answered.as_deref() == Some(id) {
            return refuse("the dialog was answered a moment ago; if it stays, it is asked anew");
        }
        let number = seen.request.as_ref().map(|request| request.number);
        match by {
            By::Person if self.is_fresh(now) => {
                return refuse("the dialog has just appeared; look at it and answer again");
            }
            By::Person => {}
            By::Rule if self.ruled.is_some() && self.ruled == number => {
                return refuse(
                    "a rule has answered this request already; look why the dialog stands, and answer it yourself",
                );
            }
            By::Rule => {
                let paths = open.request.as_ref().map_or(&[][..], |request| &request.paths);
                if let Some(why) = request::mismatch(seen, paths, dir) {
                    return refuse(&format!("no rule may answer this: {why}; answer it yourself"));
                }
            }
        }
        let keys = match choice {
            Choice::Approve => seen.approve.clone(),
            Choice::Deny => seen.deny.clone(),
            Choice::Option { index } => {
                seen.options.get(*index as usize).and_then(|option| option.keys.clone())
            }
            // A dialog would take them for keys.
            Choice::Words { .. } => None,
        };
        let Some(keys) = keys else {
            return refuse("the agent's profile does not say how; answer in the session itself");
        };
        self.answered = Some(id.to_owned());
        self.ruled = number.filter(|_| by == By::Rule).or(self.ruled);
        Ok(keys)
    }

    /// Keys that were given out, perhaps by the observer before this one, were written.
    pub fn written(&mut self) {
        self.answered = self.open.as_ref().map(|open| open.id.clone());
    }

    /// The keys that were given out were not written: the dialog may be answered again.
    pub fn not_written(&mut self) {
        self.answered = None;
        self.ruled = None;
    }
}
