//! Sessions over HTTP. Must not: know how they are kept.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::http::{Answer, ErrorCode};

use super::App;
use super::error::{Params, answer as respond, read};
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::Ask;

/// How long a wrapper may take to answer a dialog.
const REPLY: Duration = Duration::from_secs(15);

/// Which sessions.
#[derive(Deserialize, JsonSchema)]
pub struct Which {
    #[serde(default)]
    all: bool,
}

/// Which rows.
#[derive(Deserialize, JsonSchema)]
pub struct Rows {
    after: Option<u64>,
    limit: Option<u32>,
}

/// Which bytes of a recording.
#[derive(Deserialize, JsonSchema)]
pub struct Range {
    #[serde(default)]
    from: u64,
    length: Option<u32>,
}

/// All live ones, or all.
pub async fn list(State(app): State<App>, Params(which): Params<Which>) -> Response<Body> {
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
    Params(rows): Params<Rows>,
) -> Response<Body> {
    let limit = rows.limit.unwrap_or(200);
    respond(app.hub.ask(|reply| Ask::Events(name, rows.after, limit, reply)).await)
}

/// Its states, newest first.
pub async fn states(
    State(app): State<App>,
    Path(name): Path<String>,
    Params(rows): Params<Rows>,
) -> Response<Body> {
    let limit = rows.limit.unwrap_or(200);
    respond(app.hub.ask(|reply| Ask::States(name, limit, reply)).await)
}

/// Answers its dialog; the answer comes when the wrapper has done it.
pub async fn answer(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    respond(match read::<Answer>(request.into_body()).await {
        Ok(answer) => within(app.hub.ask(|reply| Ask::Answer(name, answer, by, reply))).await,
        Err(fault) => Err(fault),
    })
}

/// Where it worked, newest first.
pub async fn contexts(
    State(app): State<App>,
    Path(name): Path<String>,
    Params(rows): Params<Rows>,
) -> Response<Body> {
    let limit = rows.limit.unwrap_or(200);
    respond(app.hub.ask(|reply| Ask::Contexts(name, limit, reply)).await)
}

/// A part of its recording, from its host.
pub async fn recording(
    State(app): State<App>,
    Path(name): Path<String>,
    Params(range): Params<Range>,
) -> Response<Body> {
    let length = range.length.unwrap_or(64 << 10);
    respond(within(app.hub.ask(|reply| Ask::Recording(name, range.from, length, reply))).await)
}

/// An answer that needs a wrapper's word, which may not come.
pub async fn within<T>(asked: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(REPLY, asked).await.unwrap_or_else(|_| Err(no_answer()))
}

fn no_answer() -> Fault {
    Fault::new(
        ErrorCode::NoAnswer,
        "the session's wrapper did not answer in time",
        "look at the session; the answer may or may not have been given",
    )
}
