//! What happened in a session. Must not: show an event twice.

use wire::event::{Event, Severity};
use wire::feed::ToViewer;
use wire::http::EventRow;
use wire::session::Session;
use wire::text::escape;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;

/// Prints the latest events, and goes on with what happens if asked.
pub async fn logs(
    client: &Client,
    print: &Printer,
    session: &str,
    follow: bool,
    limit: u32,
) -> Result<(), Failure> {
    let found: Session = client.get(&format!("/v1/sessions/{}", segment(session))).await?;
    // Listening begins before reading, so that nothing falls between the two.
    let feed = if follow { Some(client.feed().await?) } else { None };
    let path = format!("/v1/sessions/{}/events", segment(&found.id.0));
    let rows: Vec<EventRow> = client.get(&format!("{path}?limit={limit}")).await?;
    let mut last = rows.last().map_or(0, |r| r.seq);
    rows.iter().try_for_each(|row| show(print, row))?;
    let Some(mut feed) = feed else { return Ok(()) };
    loop {
        match feed.next().await {
            Some(ToViewer::Event { session, seq, event }) if session == found.id && seq > last => {
                last = seq;
                show(print, &EventRow { seq, event })?;
            }
            Some(ToViewer::Everything { .. }) => {
                // Something may have been dropped on the way here: it is read instead.
                let missed: Vec<EventRow> = client.get(&format!("{path}?after={last}&limit=1000")).await?;
                last = missed.last().map_or(last, |r| r.seq);
                missed.iter().try_for_each(|row| show(print, row))?;
            }
            Some(_) => {}
            None => return Err(Failure::Unreachable("the server is gone".to_owned())),
        }
    }
}

fn show(print: &Printer, row: &EventRow) -> Result<(), Failure> {
    print.object_or(row, || line(&row.event))
}

fn line(event: &Event) -> String {
    let at = jiff::Timestamp::from_millisecond(event.at.0)
        .map(|t| t.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string())
        .unwrap_or_else(|_| "--:--:--".to_owned());
    let mark = match event.severity {
        Severity::Info => ' ',
        Severity::Warning => '!',
        Severity::Error => 'E',
    };
    format!("{at} {mark} {:<12} {}", event.kind.as_str(), escape(&event.text))
}
