//! Starts the sessions that pools need on this host. Must not: decide which.

use std::time::Duration;

use rustix::fs::Mode;
use tokio::sync::watch;

use crate::http::turned;
use crate::hub::{Ask, Command, Hub, Pools};

/// How often pools are looked at.
const EVERY: Duration = Duration::from_millis(500);

/// Looks at the pools until the server ends. Sessions get the mask that the user has.
pub async fn tend(hub: Hub, umask: Mode, mut ending: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = turned(&mut ending) => return,
        }
        let Ok(due) = hub.ask(|reply| Ask::Pools(Pools::Due(reply))).await else { continue };
        for (pool, name) in due {
            let hub = hub.clone();
            tokio::spawn(async move {
                let (of, called) = (pool.name.clone(), name.clone());
                let start = move || wire::launch::session(&pool, &name, Some(umask));
                let started = tokio::task::spawn_blocking(start).await;
                let outcome = started.unwrap_or_else(|_| Err("the start was interrupted".to_owned()));
                // A server that ends meanwhile hears of the session from its wrapper, when it is back.
                let _ = hub.send(Command::Ask(Ask::Pools(Pools::Started(of, called, outcome)))).await;
            });
        }
    }
}
