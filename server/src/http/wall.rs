//! How many connections a credential may hold. Must not: know what they are for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wire::http::ErrorCode;

use crate::auth::Principal;
use crate::fault::Fault;
use crate::store::Scope;

/// Sessions of one host.
const WRAPPERS: usize = 10_000;
/// Feeds of one browser or of the command line.
const VIEWERS: usize = 64;

/// Counts of open connections by token.
#[derive(Debug, Clone, Default)]
pub struct Wall {
    open: Arc<Mutex<HashMap<[u8; 32], usize>>>,
}

/// One open connection; gives its place back when dropped.
#[derive(Debug)]
pub struct Place {
    wall: Wall,
    token: [u8; 32],
}

impl Wall {
    /// Takes a place, or says that there are too many.
    pub fn enter(&self, principal: &Principal) -> Result<Place, Fault> {
        let most = match principal.scope {
            Scope::Wrapper => WRAPPERS,
            Scope::Admin | Scope::Browser => VIEWERS,
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(principal.token).or_default();
        if *count >= most {
            return Err(Fault::new(
                ErrorCode::SlowDown,
                format!("{most} connections with this credential are open"),
                "close some",
            ));
        }
        *count += 1;
        Ok(Place { wall: self.clone(), token: principal.token })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.wall.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.token) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a15_one_credential_cannot_take_all_connections() {
        let wall = Wall::default();
        let browser = Principal { scope: Scope::Browser, token: [1; 32] };
        let mut places: Vec<_> = (0..VIEWERS).map(|_| wall.enter(&browser).unwrap()).collect();
        assert!(wall.enter(&browser).is_err());
        assert!(wall.enter(&Principal { token: [2; 32], ..browser }).is_ok());
        places.pop();
        assert!(wall.enter(&browser).is_ok());
    }
}
