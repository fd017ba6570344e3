//! Carries traces to the collector that the configuration names. Must not: decide what is told, or hold anybody up.
//!
//! What is told stays in the database until the collector has it, so that neither a collector that is away nor a server
//! that is killed loses a trace. One that was taken just before a crash is sent again, with the same names.

use std::time::Duration;

use tokio::sync::watch;

use super::otlp::{Collector, Failure, request};
use super::spans::spans;
use crate::http::turned;
use crate::hub::{Ask, Command, Hub, Traces};

/// How often it is looked whether there is something to tell.
const EVERY: Duration = Duration::from_secs(1);
/// The longest pause after a failure; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_secs(60);

/// Sends what is due until the server ends.
pub async fn carry(hub: Hub, collector: Collector, install: String, mut ending: watch::Receiver<bool>) {
    let mut pause = EVERY;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = turned(&mut ending) => return,
        }
        let Ok(lives) = hub.ask(|reply| Ask::Traces(Traces::Due(reply))).await else { continue };
        if lives.is_empty() {
            pause = EVERY;
            continue;
        }
        let told = lives.iter().map(|life| (life.prompt, life.ended)).collect();
        let spans: Vec<_> = lives.iter().flat_map(spans).collect();
        if let Err(why) = send(&collector, &install, spans).await {
            if pause == EVERY {
                tracing::warn!(why, "the collector takes no traces; they are kept and sent again");
            }
            pause = (pause * 2).min(PAUSE);
            continue;
        }
        if pause > EVERY {
            tracing::info!("the collector takes traces again");
        }
        // More may wait: it is asked for at once.
        pause = Duration::ZERO;
        if hub.send(Command::Ask(Ask::Traces(Traces::Told(told)))).await.is_err() {
            return;
        }
    }
}

/// True: they need not be sent again. Else why they must.
async fn send(
    collector: &Collector,
    install: &str,
    spans: Vec<opentelemetry_proto::tonic::trace::v1::Span>,
) -> Result<(), String> {
    if spans.is_empty() {
        return Ok(());
    }
    let body = request(install, spans);
    let collector = collector.clone();
    match tokio::task::spawn_blocking(move || collector.send(&body)).await {
        Ok(Ok(None)) => Ok(()),
        Ok(Ok(Some(lost))) => {
            tracing::warn!(lost = wire::text::escape(&lost), "the collector rejected a part of the traces");
            Ok(())
        }
        Ok(Err(Failure::Never(why))) => {
            tracing::error!(why, "the collector refuses traces; they are given up");
            Ok(())
        }
        Ok(Err(Failure::Later(why))) => Err(why),
        Err(_) => Err("the sending was interrupted".to_owned()),
    }
}
