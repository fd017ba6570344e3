//! Alerts and sinks over HTTP. Must not: tell a secret.

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::alert::{NewSink, SinkKind};
use wire::http::{Done, ErrorCode};

use super::App;
use super::error::{Params, answer, read_named};
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::{Alerts, Ask, By, now};
use crate::post;

/// Which alerts, and how many.
#[derive(Deserialize, JsonSchema)]
pub struct Which {
    #[serde(default)]
    open: bool,
    before: Option<i64>,
    limit: Option<u32>,
}

/// The newest ones.
pub async fn list(State(app): State<App>, Params(which): Params<Which>) -> Response<Body> {
    let limit = which.limit.unwrap_or(200);
    answer(app.hub.ask(|reply| Ask::Alerts(Alerts::List(which.open, which.before, limit, reply))).await)
}

/// All sinks, without their secrets.
pub async fn sinks(State(app): State<App>) -> Response<Body> {
    answer(app.hub.ask(|reply| Ask::Alerts(Alerts::Sinks(reply))).await)
}

/// Keeps one.
pub async fn keep(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    let sink = read_named("sink", &name, request.into_body(), |sink: &NewSink| &sink.name).await;
    answer(match sink.and_then(|sink| may_be_kept(&name, &sink, &by).map(|()| sink)) {
        Ok(sink) => app.hub.ask(|reply| Ask::Alerts(Alerts::Keep(sink, by, reply))).await,
        Err(fault) => Err(fault),
    })
}

/// A page that was taken over must not run commands here, or reach what only this machine reaches.
fn may_be_kept(name: &str, sink: &NewSink, by: &By) -> Result<(), Fault> {
    let (what, how) = match sink.kind {
        _ if *by != By::Browser => return Ok(()),
        SinkKind::Command => ("a command is not set from a browser", "command '…'"),
        _ if sink.allow_private => {
            ("an address of the own network is not set from a browser", "… --allow-private")
        }
        _ => return Ok(()),
    };
    let hint = format!("`assign sink set {} {how}` does it", wire::text::escape(name));
    Err(Fault::new(ErrorCode::Forbidden, what, hint))
}

/// Forgets one, with what waits for it.
pub async fn forget(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Response<Body> {
    let by = principal.by();
    answer(app.hub.ask(|reply| Ask::Alerts(Alerts::Forget(name, by, reply))).await)
}

/// Sends a notice to one now.
pub async fn test(State(app): State<App>, Path(name): Path<String>) -> Response<Body> {
    let sink = match app.hub.ask(|reply| Ask::Alerts(Alerts::Sink(name, reply))).await {
        Ok(sink) => sink,
        Err(fault) => return answer::<Done>(Err(fault)),
    };
    answer(match post::try_out(sink, app.url(), now()).await {
        Ok(()) => Ok(Done { done: true }),
        Err(why) => Err(Fault::new(
            ErrorCode::NoAnswer,
            format!("the sink did not take it: {why}"),
            "mend the sink, then test it again",
        )),
    })
}
