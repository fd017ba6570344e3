//! The past over HTTP: what is found by words, events of all sessions, and its deletion. Must not: hold up the control loop.

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::UnixMillis;
use wire::event::{EventKind, Severity};
use wire::purge::Purge;
use wire::search::HitKind;

use super::App;
use super::error::{Params, answer, read};
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::now;
use crate::keep;
use crate::store::{Arrivals, Occurrences, Query, Span};

/// Most rows of a page.
const PAGE: u32 = 200;

/// What is looked for, and where.
#[derive(Deserialize, JsonSchema)]
pub struct Words {
    /// Words that must all be there; the last may be the beginning of one.
    q: Option<String>,
    kind: Option<HitKind>,
    session: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Which events.
#[derive(Deserialize, JsonSchema)]
pub struct Which {
    fingerprint: Option<String>,
    kind: Option<EventKind>,
    severity: Option<Severity>,
    session: Option<String>,
    agent: Option<String>,
    project: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
    cursor: Option<String>,
    /// Those that came after the one of this number, in the order in which they came.
    after: Option<u64>,
    /// The latest that came, in the order in which they came.
    #[serde(default)]
    latest: bool,
    limit: Option<u32>,
}

/// Which range of time; the last 24 hours when it is left out.
#[derive(Deserialize, JsonSchema)]
pub struct Range {
    from: Option<i64>,
    to: Option<i64>,
    agent: Option<String>,
    project: Option<String>,
    /// How far the asker's clock is ahead of UTC: hours and days begin by it.
    offset_minutes: Option<i64>,
}

/// The past in numbers.
pub async fn insight(State(app): State<App>, Params(range): Params<Range>) -> Response<Body> {
    let now = now();
    let to = range.to.map_or(now, UnixMillis);
    let from = range.from.map_or(UnixMillis(to.0.saturating_sub(24 * 60 * 60_000)), UnixMillis);
    let Range { agent, project, offset_minutes, .. } = range;
    let span = Span { from, to, agent, project, offset_minutes: offset_minutes.unwrap_or(0), now };
    answer(app.archive.read(move |reader| reader.insight(&span)).await)
}

/// Deletes for good what has ended.
pub async fn purge(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    let by = principal.by().as_str().to_owned();
    answer(match read::<Purge>(request.into_body()).await {
        Ok(asked) => keep::purge(&app, asked, by).await,
        Err(fault) => Err(fault),
    })
}

/// Where words stand, newest first.
pub async fn search(State(app): State<App>, Params(words): Params<Words>) -> Response<Body> {
    let Words { q, kind, session, cursor, limit } = words;
    let cursor = match cursor.map(|text| text.parse::<i64>()).transpose() {
        Ok(cursor) => cursor,
        Err(_) => {
            let fault = Fault::bad("the cursor is not one that this server gave", "begin without one");
            return answer::<()>(Err(fault));
        }
    };
    let limit = limit.unwrap_or(50).clamp(1, PAGE);
    let query = Query { words: q.unwrap_or_default(), kind, session, cursor, limit };
    answer(app.archive.read(move |reader| reader.search(&query)).await)
}

/// Events of all sessions: newest first, or in the order in which they came.
pub async fn events(State(app): State<App>, Params(which): Params<Which>) -> Response<Body> {
    let Which { fingerprint, kind, severity, session, agent, project, since, until, .. } = which;
    let limit = which.limit.unwrap_or(100).clamp(1, PAGE);
    let (since, until, cursor) = (since.map(UnixMillis), until.map(UnixMillis), which.cursor);
    let arrivals = match (which.after, which.latest, &cursor) {
        (None, false, _) => None,
        (Some(after), false, None) => Some(Arrivals::After(after)),
        (None, true, None) => Some(Arrivals::Latest),
        (Some(_), true, _) | (_, _, Some(_)) => {
            let fault = Fault::bad("`after`, `latest` and `cursor` exclude each other", "give one of them");
            return answer::<()>(Err(fault));
        }
    };
    let which =
        Occurrences { fingerprint, kind, severity, session, agent, project, since, until, cursor, limit };
    answer(
        app.archive
            .read(move |reader| match arrivals {
                Some(arrivals) => reader.arrivals(&which, arrivals),
                None => reader.occurrences(&which),
            })
            .await,
    )
}
