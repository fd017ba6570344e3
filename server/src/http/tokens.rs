//! Tokens over HTTP: made, listed, revoked. Must not: tell a secret but to whom it is made.

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::Response;
use wire::admin::{MadeToken, NewToken};
use wire::http::{Done, ErrorCode};

use super::App;
use super::error::{answer, read};
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::{Admin, Ask, By, now};
use crate::store::{Scope, StoredToken};
use crate::token::Token;

/// All but the wrappers', without their secrets.
pub async fn list(State(app): State<App>, Extension(principal): Extension<Principal>) -> Response<Body> {
    answer(Ok(app.auth.rows(&principal, now())))
}

/// Makes one.
pub async fn make(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    answer(match read::<NewToken>(request.into_body()).await {
        Ok(asked) => made(&app, &principal, asked).await,
        Err(fault) => Err(fault),
    })
}

/// Revokes one, and closes what is open with it.
pub async fn revoke(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Response<Body> {
    answer(revoked(&app, &principal, &id).await)
}

async fn made(app: &App, principal: &Principal, asked: NewToken) -> Result<MadeToken, Fault> {
    let token = Token::make(Scope::Token).map_err(|error| {
        tracing::error!(%error, "no token");
        Fault::internal()
    })?;
    let (hash, by, here) = (token.hash(), principal.by(), app.clone());
    let row = to_its_end(app, async move {
        let stored = here.hub.ask(|reply| Ask::Admin(Admin::MakeToken(hash, asked, by, reply))).await?;
        let row = stored.row(false);
        here.auth.admit(stored);
        Ok(row)
    });
    Ok(MadeToken { row: row.await?, token: token.reveal().to_owned() })
}

async fn revoked(app: &App, principal: &Principal, id: &str) -> Result<Done, Fault> {
    let token = app.auth.named(id).ok_or_else(|| no_token(id))?;
    if token.scope == Scope::Admin {
        return Err(Fault::conflict(
            "that is the command line's own token, which the server makes by itself",
            "to have a new one, stop the server, remove the file cli.token, and start the server again",
        ));
    }
    end(app, token, principal.by()).await
}

/// Ends a token, and closes what is open with it.
pub async fn end(app: &App, token: StoredToken, by: By) -> Result<Done, Fault> {
    let (hash, here) = (token.hash, app.clone());
    to_its_end(app, async move {
        let token = Box::new(token);
        let done = here.hub.ask(|reply| Ask::Admin(Admin::RevokeToken(token, by, reply))).await?;
        // What comes in between these two is looked at again, see `admit`.
        here.auth.forget(&hash);
        here.wall.shut(&hash);
        Ok(done)
    })
    .await
}

/// Does something whether or not the caller waits for it: what the database and the memory say must not part.
async fn to_its_end<T: Send + 'static>(
    app: &App,
    work: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    let alive = app.alive.clone();
    let done = tokio::spawn(async move {
        let done = work.await;
        drop(alive);
        done
    });
    done.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a change of tokens broke off");
        Err(Fault::internal())
    })
}

fn no_token(id: &str) -> Fault {
    let text = format!("there is no token '{}'", wire::text::escape(id));
    Fault::new(ErrorCode::NotFound, text, "`assign token ls` lists those there are")
}
