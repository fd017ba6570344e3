//! Tools about all sessions and prompts: list, read, wait, assign, cancel. Must not: show what is not fenced.

use std::fmt::Display;
use std::str::FromStr;

use uuid::Uuid;
use wire::PromptId;
use wire::http::PromptDetail;
use wire::prompt::{NewPrompt, Prompt, PromptState, WorktreePolicy, default_priority};
use wire::session::{Session, State};
use wire::text::escape;

use super::Tier;
use super::answer::{self, Answer};
use super::service::{Call, Service};
use super::tools::{Assign, Cancel, ListPrompts, ListSessions, ReadResult, WAIT, WAIT_MAX, Wait};
use crate::client::segment;
use crate::failure::Failure;
use crate::queued;
use crate::{sending, wait};

/// Prompts in a list, when nothing else is said.
const LISTED: u32 = 30;
/// Longest time for the work that can be asked for, in minutes: what the server takes at most.
const MINUTES: u32 = 30 * 24 * 60;

/// The sessions.
pub async fn sessions(service: &Service, asked: ListSessions) -> Result<Answer, Failure> {
    let path = if asked.all { "/v1/sessions?all=true" } else { "/v1/sessions" };
    let state: Option<State> = word("state", asked.state.as_deref())?;
    let mut sessions: Vec<Session> = service.get(path).await?;
    sessions.retain(|session| state.is_none_or(|state| session.claim.state == state));
    let own = |session: &Session| service.who.session.as_ref() == Some(&session.id);
    let lines: Vec<String> = sessions.iter().map(|s| answer::session(s, own(s)).to_string()).collect();
    Ok(Answer::list("sessions", "the sessions of this fleet", &lines, "ask for one state"))
}

/// Prompts, the newest first.
pub async fn prompts(service: &Service, asked: ListPrompts) -> Result<Answer, Failure> {
    let limit = within("limit", asked.limit.unwrap_or(LISTED), 1, 100)?;
    let mut path = format!("/v1/prompts?limit={limit}");
    let state: Option<PromptState> = word("state", asked.state.as_deref())?;
    path.extend(state.map(|state| format!("&state={state}")));
    path.extend(asked.session.map(|name| format!("&session={}", segment(&name))));
    path.extend(asked.tag.map(|tag| format!("&tag={}", segment(&tag))));
    path.extend(asked.before.map(|before| format!("&before={before}")));
    let prompts: Vec<Prompt> = service.get(&path).await?;
    let lines: Vec<String> = prompts.iter().map(|p| answer::prompt(p).to_string()).collect();
    Ok(Answer::list("prompts", "whoever wrote these prompts", &lines, "ask on with before"))
}

/// Where a prompt stands.
pub async fn read(service: &Service, asked: ReadResult) -> Result<Answer, Failure> {
    let prompt = prompt(service, asked.prompt).await?;
    if service.who.tier == Tier::Own && prompt.session != service.who.session {
        return Err(Failure::Refused(format!(
            "prompt {} is not your session's; this tier reads your own only",
            prompt.id
        )));
    }
    Ok(answer::outcome(&prompt, asked.from))
}

/// The end of a prompt, if it comes in time.
pub async fn wait(service: &Service, asked: Wait, call: &Call) -> Result<Answer, Failure> {
    let mut patience = call.patience(seconds(asked.seconds)?, format!("prompt {} goes on", asked.prompt));
    loop {
        let prompt = prompt(service, asked.prompt).await?;
        if wait::over(&prompt) || !patience.again().await {
            return Ok(answer::outcome(&prompt, 0));
        }
    }
}

/// A new prompt for another session.
pub async fn assign(service: &Service, asked: Assign) -> Result<Answer, Failure> {
    let new = new_prompt(asked)?;
    // Sent again under its key, it stays one prompt: so an answer that was lost does no harm.
    let key = Uuid::now_v7().to_string();
    let queued = queued::post_once(&service.client, &new, &key).await.map_err(|failure| match failure {
        Failure::Unreachable(why) => Failure::Unreachable(format!(
            "{why}; the prompt may be queued all the same: look with list_prompts before you assign it again"
        )),
        failure => failure,
    })?;
    let id = queued.id;
    Ok(Answer::plain(format!(
        "Prompt {id} is queued ({}). Call wait with prompt = {id} for its result.",
        queued.state
    )))
}

/// A prompt of one's own is called off; whose it is, the server knows.
pub async fn cancel(service: &Service, asked: Cancel) -> Result<Answer, Failure> {
    let done: Prompt = service.client.post(&format!("/v1/prompts/{}/cancel", asked.prompt), None).await?;
    Ok(Answer::plain(format!("Prompt {} is called off; it is {} now.", done.id, done.state)))
}

/// How long a call waits.
pub fn seconds(asked: Option<u64>) -> Result<u64, Failure> {
    within("seconds", asked.unwrap_or(WAIT), 1, WAIT_MAX)
}

async fn prompt(service: &Service, id: i64) -> Result<Prompt, Failure> {
    let detail: PromptDetail = service.get(&format!("/v1/prompts/{id}")).await?;
    Ok(detail.prompt)
}

fn new_prompt(asked: Assign) -> Result<NewPrompt, Failure> {
    let here =
        std::env::current_dir().map_err(|e| Failure::failed(format!("this directory is gone: {e}")))?;
    let minutes = asked.timeout_minutes.map(|m| within("timeout_minutes", m, 1, MINUTES)).transpose()?;
    Ok(NewPrompt {
        target: asked.target,
        dir: asked.dir.map(|dir| sending::directory(&dir, &here)).transpose()?,
        branch: asked.branch,
        worktree: asked.worktree.then_some(WorktreePolicy::Keep),
        agent: asked.agent,
        role: asked.role,
        priority: within("priority", asked.priority.unwrap_or_else(default_priority), 0, 10)?,
        after: asked.after.into_iter().map(PromptId).collect(),
        thread: asked.thread,
        tags: asked.tags,
        verify: asked.verify,
        timeout_ms: minutes.map(|m| u64::from(m) * 60_000),
        ..NewPrompt::new(asked.text)
    })
}

fn word<T: FromStr<Err: Display>>(what: &str, asked: Option<&str>) -> Result<Option<T>, Failure> {
    let read = asked.map(str::parse).transpose();
    read.map_err(|e: T::Err| Failure::Usage(format!("{what}: {}", escape(&e.to_string()))))
}

fn within<T: PartialOrd + Display>(what: &str, value: T, least: T, most: T) -> Result<T, Failure> {
    if value < least || value > most {
        return Err(Failure::Usage(format!("{what} is from {least} to {most}")));
    }
    Ok(value)
}
