//! How many connections a credential may hold, and when they end with it. Must not: know what they are for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use wire::UnixMillis;
use wire::http::ErrorCode;

use super::connection::turned;
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::now;
use crate::store::Scope;

/// Sessions of one host.
const WRAPPERS: usize = 10_000;
/// Feeds of one browser or of the command line.
const VIEWERS: usize = 64;

/// The open connections of each token.
#[derive(Debug, Clone, Default)]
pub struct Wall {
    doors: Arc<Mutex<HashMap<[u8; 32], Door>>>,
}

/// Those of one token.
#[derive(Debug)]
struct Door {
    open: usize,
    /// Turns true when all are to be closed.
    shut: watch::Sender<bool>,
}

/// One open connection; gives its place back when dropped.
#[derive(Debug)]
pub struct Place {
    wall: Wall,
    token: [u8; 32],
    expires: Option<UnixMillis>,
    shut: watch::Receiver<bool>,
}

impl Wall {
    /// Takes a place, or says that there are too many.
    pub fn enter(&self, principal: &Principal) -> Result<Place, Fault> {
        let most = match principal.scope {
            Scope::Wrapper => WRAPPERS,
            Scope::Admin | Scope::Browser | Scope::Token => VIEWERS,
        };
        let mut doors = self.lock();
        let door =
            doors.entry(principal.token).or_insert_with(|| Door { open: 0, shut: watch::Sender::new(false) });
        if door.open >= most {
            return Err(Fault::new(
                ErrorCode::SlowDown,
                format!("{most} connections with this credential are open"),
                "close some",
            ));
        }
        door.open += 1;
        let shut = door.shut.subscribe();
        Ok(Place { wall: self.clone(), token: principal.token, expires: principal.expires, shut })
    }

    /// Closes all connections of a token that was revoked.
    pub fn shut(&self, token: &[u8; 32]) {
        if let Some(door) = self.lock().get(token) {
            door.shut.send_replace(true);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Door>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the connection is to be closed: its token was revoked, or has expired.
    pub async fn ended(&mut self) {
        let left = self.expires.map(|end| u64::try_from(end.0.saturating_sub(now().0)).unwrap_or(0));
        tokio::select! {
            () = turned(&mut self.shut) => {}
            () = tokio::time::sleep(Duration::from_millis(left.unwrap_or(0))), if left.is_some() => {}
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut doors = self.wall.lock();
        if let Some(door) = doors.get_mut(&self.token) {
            door.open -= 1;
            if door.open == 0 {
                doors.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoredToken;

    fn browser(token: u8, expires: Option<UnixMillis>) -> Principal {
        Principal::of(&StoredToken::own([token; 32], Scope::Browser, UnixMillis(0), expires))
    }

    #[test]
    fn a15_one_credential_cannot_take_all_connections() {
        let wall = Wall::default();
        let mut places: Vec<_> = (0..VIEWERS).map(|_| wall.enter(&browser(1, None)).unwrap()).collect();
        assert!(wall.enter(&browser(1, None)).is_err());
        assert!(wall.enter(&browser(2, None)).is_ok());
        places.pop();
        assert!(wall.enter(&browser(1, None)).is_ok());
    }

    #[tokio::test]
    async fn what_is_open_ends_with_its_credential() {
        let wall = Wall::default();
        let (mut one, mut other) =
            (wall.enter(&browser(1, None)).unwrap(), wall.enter(&browser(2, None)).unwrap());
        wall.shut(&[1; 32]);
        tokio::select! {
            biased;
            () = other.ended() => panic!("another credential is another matter"),
            () = one.ended() => {}
        }
        // It expired before it could be waited for.
        wall.enter(&browser(3, Some(UnixMillis(1)))).unwrap().ended().await;
    }
}
