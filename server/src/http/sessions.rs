//! Sessions over HTTP. Must not: know how they are kept.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::Response;
use serde::Deserialize;
use wire::http::{Answer, Done, ErrorCode};

use super::App;
use super::error::{answer as respond, read};
use crate::fault::Fault;
use crate::hub::Ask;

/// How long a wrapper may take to answer a dialog.
const REPLY: Duration = Duration::from_secs(15);

/// Which sessions.
#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    all: bool,
}

/// Which rows.
#[derive(Deserialize)]
pub struct Rows {
    after: Option<u64>,
    limit: Option<u32>,
}

/// All live ones, or all.
pub async fn list(State(app): State<App>, Query(which): Query<Which>) -> Response<Body> {
    respond(app.hub.ask(|reply| Ask::Sessions(which.all, reply)).await)
}

/// One, by name or id.
pub async fn show(State(app): State<App>, Path(name): Path<String>) -> Response<Body> {
    respond(app.hub.ask(|reply| Ask::Session(name, reply)).await)
}

/// Its events: after a number, or the latest.
pub async fn events(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(rows): Query<Rows>,
) -> Response<Body> {
    let limit = rows.limit.unwrap_or(200);
    respond(app.hub.ask(|reply| Ask::Events(name, rows.after, limit, reply)).await)
}

/// Its states, newest first.
pub async fn states(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(rows): Query<Rows>,
) -> Response<Body> {
    let limit = rows.limit.unwrap_or(200);
    respond(app.hub.ask(|reply| Ask::States(name, limit, reply)).await)
}

/// Answers its dialog; the answer comes when the wrapper has done it.
pub async fn answer(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response<Body> {
    let asked = match read::<Answer>(request.into_body()).await {
        Ok(answer) => {
            tokio::time::timeout(REPLY, app.hub.ask(|reply| Ask::Answer(name, answer, reply))).await
        }
        Err(fault) => Ok(Err(fault)),
    };
    respond(asked.unwrap_or_else(|_| Err::<Done, _>(no_answer())))
}

fn no_answer() -> Fault {
    Fault::new(
        ErrorCode::NoAnswer,
        "the session's wrapper did not answer in time",
        "look at the session; the answer may or may not have been given",
    )
}
