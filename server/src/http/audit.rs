//! The audit log over HTTP. Must not: change it.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use super::App;
use super::error::{Params, answer};
use crate::hub::{Ask, People};

/// Which entries, and how many; whether the chain is to be checked.
#[derive(Deserialize, JsonSchema)]
pub struct Which {
    before: Option<u64>,
    limit: Option<u32>,
    #[serde(default)]
    check: bool,
}

/// The newest ones; `before` gives the next page.
pub async fn list(State(app): State<App>, Params(which): Params<Which>) -> Response<Body> {
    let limit = which.limit.unwrap_or(200);
    answer(app.hub.ask(|reply| Ask::People(People::Audit(which.before, limit, which.check, reply))).await)
}
