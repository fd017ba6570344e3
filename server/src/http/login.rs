//! Logging a browser in and out: a link with a code, then a cookie. Must not: put a token into a URL.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::http::{ErrorCode, LoginLink};

use super::App;
use super::error::answer;
use super::guard::{cookie_name, credential, unauthorized};
use super::tokens::end;
use crate::auth::{CODE_LIFE, COOKIE_LIFE, Login, Principal};
use crate::fault::Fault;
use crate::hub::{Ask, By, now};
use crate::store::Scope;

/// The code in a link.
#[derive(Deserialize, JsonSchema)]
pub struct Code {
    code: Option<String>,
}

/// Makes a link.
pub async fn make_link(State(app): State<App>) -> Response<Body> {
    answer(match app.auth.make_code(Instant::now()) {
        Ok(code) => Ok(LoginLink {
            url: format!("{}/login?code={code}", app.url()),
            expires_s: u32::try_from(CODE_LIFE.as_secs()).unwrap_or(u32::MAX),
        }),
        Err(error) => {
            tracing::error!(%error, "no login link");
            Err(Fault::internal())
        }
    })
}

/// Takes a link's code, gives a cookie, and goes to the page without the code.
pub async fn login(State(app): State<App>, headers: HeaderMap, Query(query): Query<Code>) -> Response<Body> {
    // A page elsewhere must neither log a browser in nor use up the tries.
    if headers.get("sec-fetch-site").is_some_and(|s| s != "none" && s != "same-origin") {
        return Fault::new(
            ErrorCode::Forbidden,
            "a login link does not work from another site",
            "paste it into the browser's address bar",
        )
        .into_response();
    }
    let code = query.code.unwrap_or_default();
    match enter(&app, &code).await {
        Ok(cookie) => {
            forget_old(&app, &headers).await;
            let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Err(fault) => fault.into_response(),
    }
}

/// Logs out the browser that asks.
pub async fn logout(State(app): State<App>, Extension(principal): Extension<Principal>) -> Response<Body> {
    let done = match app.auth.of(&principal.token) {
        Some(token) => end(&app, token, principal.by()).await,
        None => Err(unauthorized()),
    };
    let gone = format!("{}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0", cookie_name(app.port));
    match done {
        Ok(done) => ([(header::SET_COOKIE, gone)], answer(Ok(done))).into_response(),
        Err(fault) => fault.into_response(),
    }
}

/// A browser that logs in anew leaves no credential behind.
async fn forget_old(app: &App, headers: &HeaderMap) {
    let Ok((old, true)) = credential(headers, app.port) else { return };
    let known = app.auth.check(&old, now()).filter(|old| old.scope == Scope::Browser);
    let Some(token) = known.and_then(|old| app.auth.of(&old.token)) else { return };
    if let Err(fault) = end(app, token, By::Browser).await {
        tracing::warn!(why = fault.0.message, "a browser's old credential stays until it expires");
    }
}

async fn enter(app: &App, code: &str) -> Result<String, Fault> {
    let tried = app.auth.login(code, Instant::now(), now()).map_err(|error| {
        tracing::error!(%error, "no login");
        Fault::internal()
    })?;
    match tried {
        Login::In(token, stored) => {
            let kept = stored.clone();
            app.hub.ask(|reply| Ask::KeepToken(kept, reply)).await?;
            app.auth.admit(stored);
            tracing::info!("a browser was logged in");
            let (name, age) = (cookie_name(app.port), COOKIE_LIFE / 1000);
            let value = token.reveal();
            Ok(format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}"))
        }
        Login::Wrong => {
            tracing::warn!("a login code was wrong, used or too old");
            Err(Fault::new(
                ErrorCode::Unauthorized,
                "this login link was used, is older than a minute, or was never valid",
                "`assign login` prints a new one",
            ))
        }
        Login::Wait(wait) => Err(Fault::new(
            ErrorCode::SlowDown,
            "too many wrong login links",
            format!("try again in {} ms", wait.as_millis()),
        )),
    }
}
