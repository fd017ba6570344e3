//! Alerts and the sinks that they are told to. Must not: send one.

use clap::{Args, Subcommand};
use hyper::Method;
use wire::alert::{Alert, AlertKind, NewSink, QuietHours, Sink, SinkKind};
use wire::http::Done;
use wire::text::escape;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables::{age, now};

/// What is done with sinks.
#[derive(Debug, Subcommand)]
pub enum SinkVerb {
    /// List the sinks
    Ls,
    /// Keep a sink, in the place of the one of its name
    Set(Box<SinkArgs>),
    /// Send a test to a sink
    Test {
        /// Its name
        name: String,
    },
    /// Forget a sink, with what waits for it
    Rm {
        /// Its name
        name: String,
    },
}

/// A sink.
#[derive(Debug, Args)]
pub struct SinkArgs {
    /// Its name
    name: String,
    /// Kind: command, webhook, ntfy, slack, discord, telegram or desktop
    kind: SinkKind,
    /// Address to post to; for a command the command; for desktop nothing
    #[arg(default_value = "")]
    target: String,
    /// The address may be one of this machine or of its own network, there by http too
    #[arg(long)]
    allow_private: bool,
    /// Topic for ntfy, chat for Telegram
    #[arg(long, allow_hyphen_values = true)]
    channel: Option<String>,
    /// For Telegram: the users, by number, whose /status, /task, /progress and /cancel are obeyed
    #[arg(long, value_name = "USER,USER", value_delimiter = ',')]
    allow: Vec<String>,
    /// File whose first line is the signing key or the bot's token
    #[arg(long)]
    secret_file: Option<std::path::PathBuf>,
    /// Only these alerts, with commas between them
    #[arg(long, value_delimiter = ',')]
    only: Vec<AlertKind>,
    /// Not between these times, for example 22:00-07:30
    #[arg(long, value_parser = hours)]
    quiet: Option<QuietHours>,
    /// Tell names and texts too, not only kinds and numbers
    #[arg(long)]
    detailed: bool,
    /// Tell again when nobody acted for so many minutes
    #[arg(long)]
    escalate: Option<u64>,
}

/// Alerts, newest first.
pub async fn list(client: &Client, print: &Printer, all: bool) -> Result<(), Failure> {
    let path = if all { "/v1/alerts" } else { "/v1/alerts?open=true" };
    let alerts: Vec<Alert> = client.get(path).await?;
    print.objects_or(&alerts, || match &alerts[..] {
        [] => "no alerts".to_owned(),
        alerts => alerts.iter().map(line).collect::<Vec<_>>().join("\n"),
    })
}

/// Shows, keeps, tests or forgets sinks.
pub async fn sinks(client: &Client, print: &Printer, verb: SinkVerb) -> Result<(), Failure> {
    match verb {
        SinkVerb::Ls => {
            let sinks: Vec<Sink> = client.get("/v1/sinks").await?;
            print.objects_or(&sinks, || match &sinks[..] {
                [] => "no sinks; `assign sink set NAME KIND TARGET` keeps one".to_owned(),
                sinks => sinks.iter().map(shown).collect::<Vec<_>>().join("\n"),
            })
        }
        SinkVerb::Set(args) => {
            let sink = asked(*args)?;
            let path = format!("/v1/sinks/{}", segment(&sink.name));
            let body = serde_json::to_string(&sink).map_err(|e| Failure::failed(e.to_string()))?;
            let kept: Sink = client.ask(Method::PUT, &path, Some(body), None).await?;
            print.object_or(&kept, || {
                format!("{}; `assign sink test {}` tries it", shown(&kept), escape(&kept.asked.name))
            })
        }
        SinkVerb::Test { name } => {
            let done: Done = client.post(&format!("/v1/sinks/{}/test", segment(&name)), None).await?;
            print.object_or(&done, || "sent".to_owned())
        }
        SinkVerb::Rm { name } => {
            let done: Done =
                client.ask(Method::DELETE, &format!("/v1/sinks/{}", segment(&name)), None, None).await?;
            print.object_or(&done, || "forgotten".to_owned())
        }
    }
}

fn asked(args: SinkArgs) -> Result<NewSink, Failure> {
    let read = |path: std::path::PathBuf| {
        std::fs::read_to_string(&path)
            .map(|text| text.lines().next().unwrap_or_default().trim().to_owned())
            .map_err(|e| Failure::Usage(format!("cannot read the secret from {}: {e}", path.display())))
    };
    Ok(NewSink {
        name: args.name,
        kind: args.kind,
        target: args.target,
        allow_private: args.allow_private,
        secret: args.secret_file.map(read).transpose()?,
        channel: args.channel,
        allowed: args.allow,
        alerts: args.only,
        quiet: args.quiet,
        detailed: args.detailed,
        escalate_ms: args.escalate.map(|minutes| minutes.saturating_mul(60_000)),
    })
}

/// Two times of the day, `HH:MM-HH:MM`.
fn hours(text: &str) -> Result<QuietHours, String> {
    let minute = |time: &str| {
        let (hour, minute) = time.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let times = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    times.map(|(from, to)| QuietHours { from, to }).ok_or_else(|| "write it like 22:00-07:30".to_owned())
}

fn line(alert: &Alert) -> String {
    let over = alert.closed.map_or(String::new(), |closed| format!("  (over {} ago)", age(closed, now())));
    format!("{:>4}  {:<16}  {}{over}", age(alert.opened, now()), alert.kind.as_str(), escape(&alert.text))
}

fn shown(sink: &Sink) -> String {
    let state = match (&sink.failure, sink.delivered) {
        (Some(why), _) => format!("failing: {}", escape(why)),
        (None, Some(at)) => format!("told {} ago", age(at, now())),
        (None, None) => "nothing told yet".to_owned(),
    };
    format!("{:<16}  {:<9}  {state}", escape(&sink.asked.name), sink.asked.kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_two_times_of_the_day() {
        assert_eq!(hours("22:00-07:30"), Ok(QuietHours { from: 1320, to: 450 }));
        for wrong in ["22-7", "24:00-01:00", "", "1:00"] {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
    }
}
