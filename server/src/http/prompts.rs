//! Prompts over HTTP. Must not: decide what they may become.

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use wire::PromptId;
use wire::http::Reassign;
use wire::prompt::{NewPrompt, PromptState};

use super::App;
use super::error::{answer, json, read};
use crate::fault::Fault;
use crate::hub::{Ask, Change};

/// Which prompts, and how many.
#[derive(Deserialize)]
pub struct Which {
    state: Option<String>,
    limit: Option<u32>,
}

/// Queues one.
pub async fn create(State(app): State<App>, request: Request) -> Response<Body> {
    let key = match request.headers().get("idempotency-key").map(|k| k.to_str()) {
        None => None,
        Some(Ok(key)) => Some(key.to_owned()),
        Some(Err(_)) => {
            return Fault::bad("the idempotency key is not plain text", "use ASCII").into_response();
        }
    };
    let queued = match read::<NewPrompt>(request.into_body()).await {
        Ok(asked) => app.hub.ask(|reply| Ask::Enqueue(Box::new(asked), key, reply)).await,
        Err(fault) => Err(fault),
    };
    match queued {
        Ok((true, prompt)) => json(StatusCode::CREATED, &prompt),
        Ok((false, prompt)) => json(StatusCode::OK, &prompt),
        Err(fault) => fault.into_response(),
    }
}

/// The newest ones.
pub async fn list(State(app): State<App>, Query(which): Query<Which>) -> Response<Body> {
    let state = match which.state.as_deref().map(str::parse::<PromptState>).transpose() {
        Ok(state) => state,
        Err(e) => return Fault::bad(format!("no such state: {e}"), "name one of them").into_response(),
    };
    let limit = which.limit.unwrap_or(200);
    answer(app.hub.ask(|reply| Ask::Prompts(state, limit, reply)).await)
}

/// One with its history.
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    answer(match parse(&id) {
        Ok(id) => app.hub.ask(|reply| Ask::Prompt(id, reply)).await,
        Err(fault) => Err(fault),
    })
}

/// Calls one off.
pub async fn cancel(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    change(&app, &id, Change::Cancel).await
}

/// Tries one again.
pub async fn retry(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    change(&app, &id, Change::Retry).await
}

/// Gives one to another session.
pub async fn reassign(State(app): State<App>, Path(id): Path<String>, request: Request) -> Response<Body> {
    match read::<Reassign>(request.into_body()).await {
        Ok(wish) => change(&app, &id, Change::Reassign(wish.target)).await,
        Err(fault) => fault.into_response(),
    }
}

async fn change(app: &App, id: &str, change: Change) -> Response<Body> {
    answer(match parse(id) {
        Ok(id) => app.hub.ask(|reply| Ask::Change(id, change, reply)).await,
        Err(fault) => Err(fault),
    })
}

fn parse(id: &str) -> Result<PromptId, Fault> {
    let number = id.parse().ok().filter(|n| *n > 0);
    number.map(PromptId).ok_or_else(|| {
        Fault::bad(
            format!("'{}' is no prompt's number", wire::text::escape(id)),
            "`assign prompts` lists them",
        )
    })
}
