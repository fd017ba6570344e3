//! Prompts over HTTP. Must not: decide what they may become.

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::http::{Counted, Edit, Reassign, Selection};
use wire::prompt::{NewPrompt, Outcome, PromptState};
use wire::{PromptId, UnixMillis};

use super::App;
use super::error::{Params, answer, json, numbered, read};
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::{Ask, By, Change, Given, Listing, Reply};

/// Which prompts, and how many.
#[derive(Deserialize, JsonSchema)]
pub struct Which {
    state: Option<PromptState>,
    session: Option<String>,
    tag: Option<String>,
    thread: Option<String>,
    /// Queued under an idempotency key that begins so.
    key: Option<String>,
    /// Last changed, and so for those that ended, ended, not before this.
    since: Option<i64>,
    /// Last changed before this.
    until: Option<i64>,
    /// Ended so.
    outcome: Option<Outcome>,
    /// Had by a session of this agent, or asked for it.
    agent: Option<String>,
    /// Had by a session of this repository or directory, or asked for it.
    project: Option<String>,
    before: Option<i64>,
    limit: Option<u32>,
}

/// How many.
#[derive(Deserialize, JsonSchema)]
pub struct Limit {
    /// At most.
    pub limit: Option<u32>,
}

/// Queues one.
pub async fn create(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    let key = match request.headers().get("idempotency-key").map(|k| k.to_str()) {
        None => None,
        Some(Ok(key)) => Some(key.to_owned()),
        Some(Err(_)) => {
            return Fault::bad("the idempotency key is not plain text", "use ASCII").into_response();
        }
    };
    // What is no trace is left out, as W3C has it.
    let trace = request.headers().get("traceparent").and_then(|trace| trace.to_str().ok()).map(str::to_owned);
    let given = Given { key, trace };
    let by = principal.by();
    let queued = match read::<NewPrompt>(request.into_body()).await {
        Ok(asked) => app.hub.ask(|reply| Ask::Enqueue(Box::new(asked), given, by, reply)).await,
        Err(fault) => Err(fault),
    };
    match queued {
        Ok((true, prompt)) => json(StatusCode::CREATED, &prompt),
        Ok((false, prompt)) => json(StatusCode::OK, &prompt),
        Err(fault) => fault.into_response(),
    }
}

/// The newest ones; `before` gives the next page.
pub async fn list(State(app): State<App>, Params(which): Params<Which>) -> Response<Body> {
    let Which { state, session, tag, thread, key, since, until, outcome, agent, project, before, limit } =
        which;
    let listing = Listing {
        which: Selection { state, session, tag, thread, key, ..Selection::default() },
        before: before.map(PromptId),
        limit: limit.unwrap_or(200),
        since: since.map(UnixMillis),
        until: until.map(UnixMillis),
        outcome,
        agent,
        project,
    };
    answer(app.hub.ask(|reply| Ask::Prompts(Box::new(listing), reply)).await)
}

/// What the queue would do now.
pub async fn plan(State(app): State<App>, Params(which): Params<Limit>) -> Response<Body> {
    let limit = which.limit.unwrap_or(200);
    answer(app.hub.ask(|reply| Ask::Plan(limit, reply)).await)
}

/// Who would get one, without queueing it.
pub async fn foresee(State(app): State<App>, request: Request) -> Response<Body> {
    answer(match read::<NewPrompt>(request.into_body()).await {
        Ok(asked) => app.hub.ask(|reply| Ask::Foresee(Box::new(asked), reply)).await,
        Err(fault) => Err(fault),
    })
}

/// One with its history.
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    answer(match parse(&id) {
        Ok(id) => app.hub.ask(|reply| Ask::Prompt(id, reply)).await,
        Err(fault) => Err(fault),
    })
}

/// Changes one that no session has.
pub async fn edit(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    answer(match (parse(&id), read::<Edit>(request.into_body()).await) {
        (Ok(id), Ok(edit)) => app.hub.ask(|reply| Ask::Edit(id, Box::new(edit), by, reply)).await,
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
    })
}

/// Calls one off.
pub async fn cancel(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Response<Body> {
    change(&app, &id, Change::Cancel, principal.by()).await
}

/// Tries one again.
pub async fn retry(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Response<Body> {
    change(&app, &id, Change::Retry, principal.by()).await
}

/// Gives one to another session.
pub async fn reassign(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    request: Request,
) -> Response<Body> {
    match read::<Reassign>(request.into_body()).await {
        Ok(wish) => change(&app, &id, Change::Reassign(wish.target), principal.by()).await,
        Err(fault) => fault.into_response(),
    }
}

/// Calls many off.
pub async fn cancel_all(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    change_all(&app, Change::Cancel, principal.by(), request).await
}

/// Tries many again.
pub async fn retry_all(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    change_all(&app, Change::Retry, principal.by(), request).await
}

/// Forgets many that are final.
pub async fn clear(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    with_many(&app, request, |which, reply| Ask::Clear(which, by, reply)).await
}

/// Takes note of how many ended.
pub async fn see(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    with_many(&app, request, |which, reply| Ask::See(which, by, reply)).await
}

async fn change(app: &App, id: &str, change: Change, by: By) -> Response<Body> {
    answer(match parse(id) {
        Ok(id) => app.hub.ask(|reply| Ask::Change(id, change, by, reply)).await,
        Err(fault) => Err(fault),
    })
}

async fn change_all(app: &App, change: Change, by: By, request: Request) -> Response<Body> {
    with_many(app, request, |which, reply| Ask::ChangeAll(which, change, by, reply)).await
}

async fn with_many(
    app: &App,
    request: Request,
    ask: impl FnOnce(Selection, Reply<Counted>) -> Ask,
) -> Response<Body> {
    answer(match read::<Selection>(request.into_body()).await {
        Ok(which) => app.hub.ask(|reply| ask(which, reply)).await,
        Err(fault) => Err(fault),
    })
}

fn parse(id: &str) -> Result<PromptId, Fault> {
    numbered(id, PromptId, "prompt", "`assign prompts` lists them")
}
