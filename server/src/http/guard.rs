//! The guard before every route: where a request comes from, who sends it, and the headers of every answer.
//!
//! Invariant: nothing is trusted because of the peer's address. Must not: know what routes do.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use wire::SessionId;
use wire::http::ErrorCode;

use super::access::Access;
use super::peer::{self, Peer};
use super::{App, Via};
use crate::auth::{Principal, WEAKENED};
use crate::fault::Fault;
use crate::store::Scope;

/// In which session an agent runs, as it says.
const MUSTER_SESSION: HeaderName = HeaderName::from_static(wire::http::SESSION_HEADER);
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Neither scripts nor styles are ever inline: what the page's terminal styles by itself goes through the CSSOM, which
/// the policy does not concern.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
         font-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];

/// Lets a request through, or answers it.
pub async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response<Body> {
    let mut response = match admit(&app, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    };
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let cache = response.headers_mut().entry(header::CACHE_CONTROL);
    cache.or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn admit(app: &App, request: &mut Request) -> Result<(), Fault> {
    let via = request.extensions().get::<Via>().copied().unwrap_or(Via::Tcp);
    if via == Via::Tcp {
        check_host(request.uri(), request.headers(), app.port)?;
    }
    let route = request.extensions().get::<MatchedPath>().map(|m| m.as_str().to_owned());
    let Some(access) = Access::of(request.method(), route.as_deref(), request.uri().path()) else {
        return Ok(());
    };
    check_place(access, request.headers(), app.port)?;
    if access == Access::Open {
        return Ok(());
    }
    let (credential, cookie) = credential(request.headers(), app.port)?;
    let Some(mut principal) = app.auth.check(&credential, crate::hub::now()) else {
        tokio::time::sleep(app.auth.bad_try(Instant::now())).await;
        return Err(unauthorized());
    };
    let named = request.headers().get(MUSTER_SESSION).and_then(|session| session.to_str().ok());
    if principal.scope == Scope::Admin {
        // Invariant: the owner's credential, which lies open to every agent's shell, is a person's only outside.
        match request.extensions().get::<Peer>() {
            Some(Peer::Inside(session)) => principal.weaken(Some(session.clone())),
            Some(Peer::Unseen) => principal.weaken(None),
            Some(Peer::Outside) | None => {
                if let Some(session) = named.and_then(|name| peer::known(name, &app.place.sessions())) {
                    principal.weaken(Some(session));
                }
            }
        }
    } else if principal.bounds.is_some() {
        principal.session = named.map(|session| SessionId(session.to_owned()));
    }
    if !access.allows(&principal) {
        if principal.is_weakened() {
            return Err(forbidden(WEAKENED, "a person does this, outside of sessions"));
        }
        return Err(forbidden(
            "this credential does not allow that",
            "`assign token ls` shows what each allows",
        ));
    }
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        check_intent(request.headers(), cookie, app.port)?;
    }
    request.extensions_mut().insert::<Principal>(principal);
    Ok(())
}

/// The Host header must be there once and be one of ours, letter by letter: else a page whose name was made to point
/// here could read answers.
fn check_host(uri: &Uri, headers: &HeaderMap, port: u16) -> Result<(), Fault> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Fault::bad("a request needs exactly one Host header", "send one"));
    };
    if uri.authority().is_some() {
        return Err(Fault::bad("this server is no proxy", "ask with a path only"));
    }
    let known = hosts_of(port).iter().any(|h| h.as_bytes() == host.as_bytes());
    if known { Ok(()) } else { Err(misdirected(port)) }
}

/// Machines are no browsers, and the dashboard's feed is for our own page only.
fn check_place(access: Access, headers: &HeaderMap, port: u16) -> Result<(), Fault> {
    if access.is_machine() && (headers.contains_key(header::ORIGIN) || headers.contains_key(SEC_FETCH_SITE)) {
        return Err(forbidden("this endpoint is not for browsers", "the dashboard uses /v1/feed"));
    }
    if access == Access::Feed && !is_own_origin(headers, port) {
        return Err(forbidden(
            "the feed is only for this server's own page",
            "open the dashboard at its own address",
        ));
    }
    Ok(())
}

/// A change must be meant: from our own page, or from no page at all, and as JSON, which no form can send.
fn check_intent(headers: &HeaderMap, cookie: bool, port: u16) -> Result<(), Fault> {
    let site = headers.get(SEC_FETCH_SITE);
    let from_page = site.is_some() || headers.contains_key(header::ORIGIN) || cookie;
    let own_site = site.is_none_or(|s| s == "same-origin");
    let own_origin = is_own_origin(headers, port);
    let proven = site.is_some_and(|s| s == "same-origin") || own_origin;
    if from_page && !(own_site && proven && (own_origin || !headers.contains_key(header::ORIGIN))) {
        return Err(forbidden(
            "the request comes from another site",
            "use the dashboard or the command line",
        ));
    }
    let kind = headers.get(header::CONTENT_TYPE).map(|k| k.to_str().unwrap_or_default());
    let json = kind.is_some_and(|k| k.split(';').next().is_some_and(|k| k.trim() == "application/json"));
    let bare = kind.is_none() && !from_page;
    if json || bare {
        Ok(())
    } else {
        Err(forbidden("changes are sent as JSON", "set Content-Type: application/json"))
    }
}

/// The bearer token, or the cookie of this port. True: it was the cookie.
pub fn credential(headers: &HeaderMap, port: u16) -> Result<(String, bool), Fault> {
    let mut bearers = headers.get_all(header::AUTHORIZATION).iter();
    match (bearers.next(), bearers.next()) {
        (Some(bearer), None) => {
            let token = bearer.to_str().ok().and_then(|b| b.strip_prefix("Bearer "));
            return token.map(|t| (t.to_owned(), false)).ok_or_else(unauthorized);
        }
        (Some(_), Some(_)) => return Err(Fault::bad("two credentials in one request", "send one")),
        (None, _) => {}
    }
    let name = cookie_name(port);
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|c| c.to_str().ok());
    let mut found = pairs.flat_map(|c| c.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let value = found.find(|(n, _)| *n == name).map(|(_, v)| v.to_owned());
    value.map(|v| (v, true)).ok_or_else(unauthorized)
}

/// Cookies know no ports: each server has a name of its own, so that two do not log each other out.
pub fn cookie_name(port: u16) -> String {
    format!("muster_{port}")
}

fn hosts_of(port: u16) -> [String; 3] {
    [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")]
}

/// Whether there is one Origin, and it is that of the host the request is for.
fn is_own_origin(headers: &HeaderMap, port: u16) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else { return false };
    let own = match headers.get(header::HOST).and_then(|h| h.to_str().ok()) {
        Some(host) if hosts_of(port).iter().any(|h| h == host) => format!("http://{host}"),
        Some(_) | None => format!("http://127.0.0.1:{port}"),
    };
    origin.as_bytes() == own.as_bytes()
}

/// What is said to somebody who is nobody.
pub fn unauthorized() -> Fault {
    Fault::new(
        ErrorCode::Unauthorized,
        "no valid credential",
        "a browser opens the link that `assign login` prints; a program needs a token that is in force, see `assign token`",
    )
}

fn forbidden(message: &str, hint: &str) -> Fault {
    Fault::new(ErrorCode::Forbidden, message, hint)
}

fn misdirected(port: u16) -> Fault {
    Fault::new(
        ErrorCode::Misdirected,
        "this server is not known by that name",
        format!("use http://127.0.0.1:{port}"),
    )
}
