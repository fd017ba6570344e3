//! The server itself. Must not: know prompts or sessions.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use wire::http::Done;

use super::App;
use super::error::answer;
use crate::hub::Ask;

/// Whether it answers at all.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The server in numbers.
pub async fn status(State(app): State<App>) -> Response<Body> {
    let mut status = app.hub.ask(Ask::Status).await;
    if let Ok(status) = &mut status {
        status.url = app.url();
    }
    answer(status)
}

/// Ends the server, after this answer.
pub async fn stop(State(app): State<App>) -> Response<Body> {
    tracing::info!("asked to stop");
    // A full queue means that it was asked already.
    let _ = app.end.try_send(());
    answer(Ok(Done { done: true }))
}
