//! Credentials of programs and people. Must not: keep a secret.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hyper::Method;
use wire::admin::{Bounds, MadeToken, NewToken, Role, TokenRow};
use wire::http::Done;
use wire::text::escape;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::sending::duration;
use crate::tables::{age, now};

/// What is done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// List the tokens, without their secrets
    Ls,
    /// Make a token and print its secret, this once
    Add {
        /// What it is for
        name: String,
        /// What it allows, with commas between them: viewer, typist, approver, assigner, admin
        #[arg(long = "role", value_name = "ROLE,ROLE", value_delimiter = ',', required = true)]
        roles: Vec<Role>,
        /// How long it is good for, for example `30d`; for ever when it is left out
        #[arg(long = "for", value_name = "TIME", value_parser = duration)]
        life: Option<u64>,
        /// Write the secret to a new file, for you alone, instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        agent: Agent,
    },
    /// Revoke a token: whoever uses it is shut out at once
    Rm {
        /// Its name, or the id that `ls` shows
        token: String,
    },
}

/// How far an agent goes with a token.
#[derive(Debug, Args)]
pub struct Agent {
    /// For an agent that manages others (`assign mcp`): it looks, assigns, and calls off its own, within bounds
    #[arg(long)]
    agent: bool,
    /// How deep agents may assign to agents, from a person's prompt on [default: 2]
    #[arg(long, requires = "agent", value_name = "N")]
    depth: Option<u32>,
    /// How many of its prompts may be open at once [default: 10]
    #[arg(long, requires = "agent", value_name = "N")]
    fan_out: Option<u32>,
    /// How many prompts it may queue within an hour [default: 60]
    #[arg(long, requires = "agent", value_name = "N")]
    per_hour: Option<u32>,
    /// Its prompts may bring commands that nobody is asked about: --verify, --prerequisite, --env, --command
    #[arg(long, requires = "agent")]
    commands: bool,
}

impl Agent {
    fn bounds(&self) -> Option<Bounds> {
        let usual = Bounds::default();
        self.agent.then(|| Bounds {
            depth: self.depth.unwrap_or(usual.depth),
            fan_out: self.fan_out.unwrap_or(usual.fan_out),
            per_hour: self.per_hour.unwrap_or(usual.per_hour),
            commands: self.commands,
        })
    }
}

/// Shows, makes or revokes them.
pub async fn run(client: &Client, print: &Printer, verb: TokenVerb) -> Result<(), Failure> {
    match verb {
        TokenVerb::Ls => {
            let rows: Vec<TokenRow> = client.get("/v1/tokens").await?;
            print.objects_or(&rows, || rows.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        TokenVerb::Add { name, roles, life, out, agent } => {
            let new = NewToken { name, roles, life_ms: life, bounds: agent.bounds() };
            let body = serde_json::to_string(&new).map_err(|e| Failure::failed(e.to_string()))?;
            // Made before the token, so that none is lost to a file that cannot be written.
            let mut file = out.as_deref().map(private_file).transpose()?;
            let made: Result<MadeToken, Failure> = client.post("/v1/tokens", Some(body)).await;
            if let (Err(_), Some(path)) = (&made, &out) {
                drop(std::fs::remove_file(path));
            }
            let made = made?;
            match &mut file {
                None => print.object_or(&made, || escape(&made.token))?,
                Some(file) => {
                    writeln!(file, "{}", made.token).map_err(Failure::output)?;
                    print.object_or(&made.row, || line(&made.row))?;
                }
            }
            note!("Keep it: it is not shown again. `assign token rm {}` revokes it.", made.row.id);
            Ok(())
        }
        TokenVerb::Rm { token } => {
            let rows: Vec<TokenRow> = client.get("/v1/tokens").await?;
            let id = meant(&rows, &token)?;
            let path = format!("/v1/tokens/{}", segment(id));
            let done: Done = client.ask(Method::DELETE, &path, None, None).await?;
            print.object_or(&done, || "revoked".to_owned())
        }
    }
}

/// A new file that nobody else can read.
fn private_file(path: &Path) -> Result<std::fs::File, Failure> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|e| Failure::Usage(format!("cannot write the token to {}: {e}", path.display())))
}

/// The one that has this id or name.
fn meant<'a>(rows: &'a [TokenRow], token: &str) -> Result<&'a str, Failure> {
    if let Some(row) = rows.iter().find(|row| row.id == token) {
        return Ok(&row.id);
    }
    let named: Vec<&TokenRow> = rows.iter().filter(|row| row.name == token).collect();
    match &named[..] {
        [row] => Ok(&row.id),
        [] => Err(Failure::NotFound(format!(
            "there is no token '{}'; `assign token ls` lists those there are",
            escape(token)
        ))),
        several => {
            let ids: Vec<&str> = several.iter().map(|row| row.id.as_str()).collect();
            let text =
                format!("several are called '{}'; name one by its id: {}", escape(token), ids.join(", "));
            Err(Failure::Usage(text))
        }
    }
}

fn line(row: &TokenRow) -> String {
    let roles: Vec<&str> = row.roles.iter().map(|role| role.as_str()).collect();
    let used = row.used.map_or("never used".to_owned(), |at| format!("used {} ago", age(at, now())));
    let end = row.expires.map_or(String::new(), |end| format!(", {} left", age(now(), end)));
    let own = if row.own { "  (this one)" } else { "" };
    let bounds = row.bounds.map_or(String::new(), |b| {
        let commands = if b.commands { ", with commands" } else { "" };
        format!("  agent: depth {}, {} open, {} an hour{commands}", b.depth, b.fan_out, b.per_hour)
    });
    format!("{}  {:<16}  {:<16}  {used}{end}{own}{bounds}", row.id, escape(&row.name), roles.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::UnixMillis;

    fn row(id: &str, name: &str) -> TokenRow {
        let (id, name, roles) = (id.to_owned(), name.to_owned(), vec![Role::Viewer]);
        TokenRow {
            id,
            name,
            roles,
            created: UnixMillis(0),
            expires: None,
            used: None,
            own: false,
            bounds: None,
        }
    }

    #[test]
    fn a_token_is_meant_by_its_id_or_by_a_name_that_no_other_has() {
        let rows = [row("0a", "browser"), row("0b", "browser"), row("0c", "ci"), row("0d", "0a")];
        assert_eq!(meant(&rows, "ci").unwrap(), "0c");
        assert_eq!(meant(&rows, "0a").unwrap(), "0a", "an id comes before a name");
        assert!(matches!(meant(&rows, "browser"), Err(Failure::Usage(_))));
        assert!(matches!(meant(&rows, "no"), Err(Failure::NotFound(_))));
    }
}
