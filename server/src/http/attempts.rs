//! Attempts over HTTP. Must not: know prompts.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::AttemptId;

use super::App;
use super::error::{Params, answer, numbered};
use crate::hub::Ask;

/// Which attempts, and how many.
#[derive(Deserialize, JsonSchema)]
pub struct Which {
    session: Option<String>,
    before: Option<i64>,
    limit: Option<u32>,
}

/// The newest ones; `before` gives the next page.
pub async fn list(State(app): State<App>, Params(which): Params<Which>) -> Response<Body> {
    let (before, limit) = (which.before.map(AttemptId), which.limit.unwrap_or(200));
    answer(app.hub.ask(|reply| Ask::Attempts(which.session, before, limit, reply)).await)
}

/// One with its receipts and its result.
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    answer(match numbered(&id, AttemptId, "attempt", "`assign show` lists those of a prompt") {
        Ok(id) => app.hub.ask(|reply| Ask::Attempt(id, reply)).await,
        Err(fault) => Err(fault),
    })
}
