//! Deleting for good what has ended. Must not: choose what goes.

use wire::purge::{Purge, Purged};
use wire::text::counted;

use crate::agree::agrees;
use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;

const PATH: &str = "/v1/purge";

/// What is to be deleted.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["sessions", "older", "all"])))]
pub struct Args {
    /// Sessions that have ended, by name or id, with their recordings and the prompts that they had
    #[arg(value_name = "SESSION")]
    sessions: Vec<String>,
    /// Sessions and prompts that ended so long ago, for example `30d`
    #[arg(long, value_name = "TIME", value_parser = crate::sending::duration)]
    older: Option<u64>,
    /// All that has ended
    #[arg(long)]
    all: bool,
    /// Only tell what it would be
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Deletes, after asking.
pub async fn purge(client: &Client, print: &Printer, args: Args) -> Result<(), Failure> {
    let asked: Vec<Purge> = match args.sessions.is_empty() {
        true => vec![Purge { older_ms: Some(args.older.unwrap_or(0)), ..Purge::default() }],
        false => {
            args.sessions.into_iter().map(|name| Purge { session: Some(name), ..Purge::default() }).collect()
        }
    };
    let mut foreseen = Purged::default();
    for one in &asked {
        foreseen = sum(foreseen, ask(client, &Purge { dry_run: true, ..one.clone() }).await?);
    }
    if args.dry_run {
        return print.object_or(&foreseen, || format!("would delete {}", told(&foreseen)));
    }
    if !agrees(&format!("Delete {} for good?", told(&foreseen)), args.yes)? {
        return Err(Failure::Usage("nothing was deleted".to_owned()));
    }
    let mut purged = Purged::default();
    for one in &asked {
        loop {
            let some = ask(client, one).await?;
            purged = sum(purged, some);
            if !some.left {
                break;
            }
        }
    }
    print.object_or(&purged, || format!("deleted {}", told(&purged)))
}

async fn ask(client: &Client, asked: &Purge) -> Result<Purged, Failure> {
    let body = serde_json::to_string(asked).map_err(|e| Failure::failed(e.to_string()))?;
    client.post(PATH, Some(body)).await
}

fn sum(a: Purged, b: Purged) -> Purged {
    Purged {
        sessions: a.sessions + b.sessions,
        prompts: a.prompts + b.prompts,
        bytes: a.bytes + b.bytes,
        left: false,
    }
}

fn told(purged: &Purged) -> String {
    let (sessions, prompts) = (counted(purged.sessions, "session"), counted(purged.prompts, "prompt"));
    let bytes = match purged.bytes {
        bytes @ ..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        bytes => format!("{:.1} MB", bytes as f64 / 1e6),
    };
    format!("{sessions}, {prompts} and {bytes} of recordings")
}
