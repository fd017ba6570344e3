//! The server itself. Must not: know prompts or sessions.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use wire::http::Done;

use super::App;
use super::error::answer;
use crate::fault::Fault;
use crate::hub::Ask;
use crate::metrics;

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

/// The server for Prometheus, as OpenMetrics text.
pub async fn metrics(State(app): State<App>) -> Response<Body> {
    let told = match app.hub.ask(Ask::Present).await {
        Ok(present) => app.metrics.tell(present).map_err(|_| Fault::internal()),
        Err(fault) => Err(fault),
    };
    match told {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(fault) => fault.into_response(),
    }
}

/// Ends the server, after this answer.
pub async fn stop(State(app): State<App>) -> Response<Body> {
    tracing::info!("asked to stop");
    // A full queue means that it was asked already.
    let _ = app.end.try_send(());
    answer(Ok(Done { done: true }))
}
