//! Agents that speak for themselves: what they queue, call off, tell and ask, within the bounds of their credentials.
//!
//! Must not: answer a dialog, or believe an agent about anything but which session it runs in.

use sha2::{Digest, Sha256};
use wire::admin::{Bounds, Note, Question};
use wire::approval::{Approval, ApprovalState};
use wire::http::{Answer, Done, ErrorCode};
use wire::prompt::{NewPrompt, Parent, Progress};
use wire::session::{Dialog, DialogKind, DialogOption};
use wire::text::{clean_prompt, counted};
use wire::wrapper::Choice;
use wire::{PromptId, SessionId, UnixMillis};

use super::Control;
use super::command::{Agent, By, Reply};
use crate::fault::Fault;
use crate::store::{Stored, Tally};

/// Over which time prompts are counted, in milliseconds.
const HOUR: i64 = 60 * 60_000;
/// Longest note, in characters.
const NOTE: usize = 500;
/// Least time between two notes, in milliseconds: each is kept, told to all viewers and written into the audit log.
const PACE: u64 = 1_000;
/// Longest question, in characters.
const QUESTION: usize = 4_000;
/// Longest option, in characters.
const OPTION: usize = 200;
/// Most options of a question: a person chooses by one key.
const OPTIONS: usize = 9;
/// Open questions of one session.
const ASKED: usize = 5;

/// What an agent says of itself.
pub enum Own {
    /// What it does.
    Note(Note, By, Reply<Done>),
    /// What it asks a person.
    Ask(Question, By, Reply<Approval>),
}

impl Control {
    pub(super) fn ask_about_own(&mut self, own: Own, now: UnixMillis) -> Stored<()> {
        match own {
            Own::Note(note, by, reply) => {
                let value = self.note(note, &by, now)?;
                self.out.answer(reply, value);
            }
            Own::Ask(question, by, reply) => {
                let value = self.question(question, &by, now)?;
                self.out.answer(reply, value);
            }
        }
        Ok(())
    }

    /// Where a prompt comes from that is to be queued, when an agent queues it and may.
    pub(super) fn parentage(
        &self,
        asked: &NewPrompt,
        key: Option<&str>,
        by: &By,
        now: UnixMillis,
    ) -> Stored<Result<Option<Parent>, Fault>> {
        let By::Agent(agent) = by else { return Ok(Ok(None)) };
        let prompt = self.works_on(agent)?;
        let above = prompt.map(|prompt| self.store.parent(prompt)).transpose()?.flatten();
        let depth = above.map_or(0, |above| above.depth).saturating_add(1);
        let parent = Parent { by: agent.name.clone(), prompt, depth };
        // What was queued before is shown again, not queued.
        if key.map(|key| self.store.knows_key(key)).transpose()? == Some(true) {
            return Ok(Ok(Some(parent)));
        }
        let tally = self.store.tally(&agent.token, prompt, UnixMillis(now.0 - HOUR))?;
        Ok(within(&agent.bounds, depth, tally)
            .and_then(|()| plain(&agent.bounds, asked))
            .map(|()| Some(parent)))
    }

    /// Refuses what an agent wants with a prompt that it did not queue.
    pub(super) fn not_its_own(&self, id: PromptId, by: &By) -> Stored<Option<Fault>> {
        let By::Agent(agent) = by else { return Ok(None) };
        if self.store.queued_with(id, &agent.token)? {
            return Ok(None);
        }
        Ok(Some(Fault::new(
            ErrorCode::Forbidden,
            format!("prompt {id} was not queued with this credential"),
            "an agent changes its own prompts only; ask a person",
        )))
    }

    /// The prompt that an agent's session works on.
    fn works_on(&self, agent: &Agent) -> Stored<Option<PromptId>> {
        let Some(session) = &agent.session else { return Ok(None) };
        Ok(self.store.active_attempt(session)?.map(|attempt| attempt.prompt))
    }

    /// The live session that an agent runs in.
    fn own_session<'b>(&self, by: &'b By) -> Result<(&'b Agent, SessionId), Fault> {
        let By::Agent(agent) = by else {
            return Err(Fault::new(
                ErrorCode::Forbidden,
                "this is for agents",
                "`assign token add NAME --role assigner --agent` makes a credential for one",
            ));
        };
        let live = agent.session.as_ref().and_then(|id| self.sessions.get(id)).filter(|live| !live.ended());
        live.map(|live| (&**agent, live.id().clone())).ok_or_else(|| {
            Fault::new(
                ErrorCode::Conflict,
                "this agent runs in no live session",
                "start it under `wrap`, and let its MCP server have the variable MUSTER_SESSION",
            )
        })
    }

    fn note(&mut self, note: Note, by: &By, now: UnixMillis) -> Stored<Result<Done, Fault>> {
        let (_, session) = match self.own_session(by) {
            Ok(own) => own,
            Err(fault) => return Ok(Err(fault)),
        };
        let progress = match bounded("note", &note.text, NOTE) {
            Ok(text) => Progress { text, percent: note.percent.map(|p| p.min(100)), at: now },
            Err(fault) => return Ok(Err(fault)),
        };
        let Some(attempt) = self.store.active_attempt(&session)? else {
            return Ok(Err(Fault::conflict(
                "this session works on no prompt of the queue",
                "there is nothing to report on: go on",
            )));
        };
        if attempt.progress.is_some_and(|last| now.since(last.at) < PACE) {
            return Ok(Err(Fault::new(
                ErrorCode::SlowDown,
                "the last note is not a second old",
                "say what matters, and go on",
            )));
        }
        self.store.set_progress(attempt.id, &progress)?;
        self.out.prompts.insert(attempt.prompt);
        let detail = serde_json::json!({ "text": wire::text::cut(&progress.text, 200) });
        self.audit(by.as_str(), "prompt.progress", &format!("prompt {}", attempt.prompt), &detail, now)?;
        Ok(Ok(Done { done: true }))
    }

    fn question(&mut self, question: Question, by: &By, now: UnixMillis) -> Stored<Result<Approval, Fault>> {
        let (name, session) = match self.own_session(by) {
            Ok((agent, session)) => (agent.name.clone(), session),
            Err(fault) => return Ok(Err(fault)),
        };
        let dialog = match asked(&question, &session, now) {
            Ok(dialog) => dialog,
            Err(fault) => return Ok(Err(fault)),
        };
        if self.store.open_questions_of(&session)?.len() >= ASKED {
            return Ok(Err(Fault::new(
                ErrorCode::OutOfBounds,
                format!("{ASKED} questions of this session are open"),
                "wait for their answers",
            )));
        }
        let approval = self.store.open_question(&session, &dialog, &name, now)?;
        self.out.approvals.insert(approval.id, approval.clone());
        let detail = serde_json::json!({ "question": wire::text::cut(&dialog.body, 200) });
        self.audit(by.as_str(), "question.ask", &format!("session {session}"), &detail, now)?;
        Ok(Ok(approval))
    }

    /// A person answers what an agent asked: the agent reads it, nothing is typed.
    pub(super) fn answer_question(
        &mut self,
        mut approval: Approval,
        answer: &Answer,
        by: &By,
        now: UnixMillis,
    ) -> Stored<Result<Done, Fault>> {
        let id = approval.id;
        let there = |index: u32| approval.dialog.options.iter().any(|option| option.index == index);
        match &answer.choice {
            Choice::Option { index } if there(*index) => {
                approval
                    .dialog
                    .options
                    .iter_mut()
                    .for_each(|option| option.selected = option.index == *index);
            }
            Choice::Words { text } => match bounded("answer", text, QUESTION) {
                Ok(text) => approval.words = Some(text),
                Err(fault) => return Ok(Err(fault)),
            },
            Choice::Option { .. } | Choice::Approve | Choice::Deny => {
                let text = format!("item {id} is a question: yes and no are no answers to it");
                return Ok(Err(Fault::bad(
                    text,
                    "choose one of its options by its number, or answer in words",
                )));
            }
        }
        let detail = serde_json::json!({ "dialog": approval.dialog.id, "choice": answer.choice });
        self.audit(by.as_str(), "question.answer", &format!("session {}", approval.session), &detail, now)?;
        self.close(approval, ApprovalState::Answered, Some(by.as_str().to_owned()), now)?;
        Ok(Ok(Done { done: true }))
    }

    /// Nobody is left who would read the answers.
    pub(super) fn withdraw_questions(&mut self, session: &SessionId, now: UnixMillis) -> Stored<()> {
        for open in self.store.open_questions_of(session)? {
            self.close(open, ApprovalState::Gone, None, now)?;
        }
        Ok(())
    }
}

/// Whether one more prompt is within the bounds.
fn within(bounds: &Bounds, depth: u32, tally: Tally) -> Result<(), Fault> {
    let beyond = |message: String, hint: &str| Err(Fault::new(ErrorCode::OutOfBounds, message, hint));
    if depth > bounds.depth {
        return beyond(
            format!("agents may queue prompts {} deep, and this one would be at depth {depth}", bounds.depth),
            "do the work yourself, or tell whoever gave it to you that it has to be divided there",
        );
    }
    if tally.open.max(tally.children) >= bounds.fan_out {
        return beyond(
            format!(
                "this agent has {}, as many as may be",
                counted(tally.open.max(tally.children), "open prompt")
            ),
            "wait until one has ended, or cancel one",
        );
    }
    if tally.lately >= bounds.per_hour {
        return beyond(
            format!(
                "this agent has queued {} within an hour, as many as it may",
                counted(tally.lately, "prompt")
            ),
            "wait, and give out fewer and larger tasks",
        );
    }
    Ok(())
}

/// An agent that asks before it runs a command must not get one run by the way of a prompt.
fn plain(bounds: &Bounds, asked: &NewPrompt) -> Result<(), Fault> {
    let brings =
        asked.verify.is_some() || asked.command || !asked.prerequisites.is_empty() || !asked.env.is_empty();
    if bounds.commands || !brings {
        return Ok(());
    }
    Err(Fault::new(
        ErrorCode::Forbidden,
        "this agent may not queue prompts with commands (verify, prerequisites, env, command)",
        "ask for it in the prompt's text, or let a person make a credential with --commands",
    ))
}

/// Text of an agent's, cleaned, or why it is none.
fn bounded(what: &str, text: &str, most: usize) -> Result<String, Fault> {
    let text = clean_prompt(text).trim().to_owned();
    if text.is_empty() || text.chars().count() > most {
        return Err(Fault::bad(
            format!("the {what} is empty or longer than {most} characters"),
            "say it shortly",
        ));
    }
    Ok(text)
}

/// A question as an item of the inbox.
fn asked(question: &Question, session: &SessionId, now: UnixMillis) -> Result<Dialog, Fault> {
    if question.options.len() > OPTIONS {
        let text = format!("a question has at most {OPTIONS} options");
        return Err(Fault::bad(text, "offer the likeliest; a person may answer in words of their own"));
    }
    let body = bounded("question", &question.text, QUESTION)?;
    let labels = question.options.iter().map(|option| bounded("option", option, OPTION));
    let options =
        labels.zip(0..).map(|(label, index)| Ok(DialogOption { index, label: label?, selected: false }));
    let options = options.collect::<Result<Vec<_>, Fault>>()?;
    let digest = Sha256::digest(format!("{session}\0{}\0{body}", now.0));
    let title = body.lines().next().unwrap_or_default();
    Ok(Dialog {
        id: format!("question-{}", wire::text::hex(&digest[..8])),
        kind: DialogKind::Question,
        title: wire::text::cut(title, OPTION),
        body,
        options,
        answerable: false,
        request: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { depth: 2, fan_out: 3, per_hour: 5, commands: false };

    fn code(result: Result<(), Fault>) -> Option<ErrorCode> {
        result.err().map(|fault| fault.0.code)
    }

    #[test]
    fn a23_the_last_prompt_within_the_bounds_is_queued_and_the_next_is_not() {
        let tally = |open, children, lately| Tally { open, children, lately };
        for (depth, tally) in [(2, tally(0, 0, 0)), (1, tally(2, 2, 4))] {
            assert_eq!(code(within(&BOUNDS, depth, tally)), None, "{depth} {tally:?}");
        }
        for (depth, tally) in
            [(3, tally(0, 0, 0)), (1, tally(3, 0, 3)), (1, tally(0, 3, 0)), (1, tally(0, 0, 5))]
        {
            assert_eq!(
                code(within(&BOUNDS, depth, tally)),
                Some(ErrorCode::OutOfBounds),
                "{depth} {tally:?}"
            );
        }
    }

    #[test]
    fn a_command_that_nobody_is_asked_about_needs_leave() {
        let text = || NewPrompt::new("x");
        let bringing = [
            NewPrompt { verify: Some("true".to_owned()), ..text() },
            NewPrompt { prerequisites: vec!["true".to_owned()], ..text() },
            NewPrompt { env: [("A".to_owned(), "b".to_owned())].into(), ..text() },
            NewPrompt { command: true, ..text() },
        ];
        assert_eq!(code(plain(&BOUNDS, &text())), None);
        for asked in &bringing {
            assert_eq!(code(plain(&BOUNDS, asked)), Some(ErrorCode::Forbidden), "{asked:?}");
            assert_eq!(code(plain(&Bounds { commands: true, ..BOUNDS }, asked)), None);
        }
    }

    #[test]
    fn a_question_is_plain_text_with_answers_to_choose_from_or_none() {
        let question = |text: &str, options: &[&str]| Question {
            text: text.to_owned(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
        };
        let session = SessionId("s".to_owned());
        let made =
            asked(&question("Which?\u{1b}[2J\nNow", &["a\u{202e}", "b"]), &session, UnixMillis(0)).unwrap();
        assert_eq!((made.title.as_str(), made.body.as_str()), ("Which?[2J", "Which?[2J\nNow"));
        assert_eq!(made.options[0].label, "a");
        assert!(asked(&question("q", &[]), &session, UnixMillis(0)).is_ok());
        for (text, options) in [("", &["a", "b"][..]), ("", &[]), ("q", &["a", " "]), ("q", &["a"; 10])] {
            assert!(asked(&question(text, options), &session, UnixMillis(0)).is_err(), "{text} {options:?}");
        }
    }
}
