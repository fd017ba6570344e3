//! Hosts over HTTP. Must not: ask one.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;

use super::App;
use super::error::answer;
use crate::hub::{Admin, Ask};

/// Those with live sessions.
pub async fn list(State(app): State<App>) -> Response<Body> {
    answer(app.hub.ask(|reply| Ask::Admin(Admin::Hosts(reply))).await)
}
