//! Lines of the log about prompts: what became of them, for whoever follows one. Must not: be written before the commit,
//! or tell a text.

use tracing::Span;
use wire::prompt::PromptState;
use wire::{AttemptId, PromptId, SessionId};

use super::Control;
use crate::store::{Stored, StoredPrompt};

/// Something that became of a prompt.
pub struct Note {
    prompt: PromptId,
    state: PromptState,
    attempt: Option<AttemptId>,
    session: Option<SessionId>,
    /// The trace, which the wrapper's log and a collector call the same.
    trace: String,
    /// What it was decided within: the request that asked for it.
    span: Span,
}

impl Note {
    /// Writes it.
    pub fn tell(self) {
        let Self { prompt, state, attempt, session, trace, span } = self;
        let _within = span.enter();
        tracing::info!(
            prompt = prompt.0,
            attempt = attempt.map(|attempt| attempt.0),
            session = session.as_ref().map(|session| session.0.as_str()),
            trace_id = trace,
            state = state.as_str(),
            "a prompt's life went on"
        );
    }
}

impl Control {
    /// Notes where a prompt is, with the attempt that brought it there.
    pub(super) fn write_down(&mut self, prompt: &StoredPrompt, attempt: Option<AttemptId>) -> Stored<()> {
        let attempt = prompt.job.lease().map(|lease| lease.attempt).or(attempt);
        let session = prompt.session.clone().filter(|_| attempt.is_some());
        let trace = self.trace(prompt.id)?.hex();
        let (prompt, state, span) = (prompt.id, prompt.job.state(), Span::current());
        self.out.notes.push(Note { prompt, state, attempt, session, trace, span });
        Ok(())
    }
}
