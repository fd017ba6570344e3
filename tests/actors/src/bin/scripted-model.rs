//! `scripted-model`: a model server on loopback that answers real agents from scripts.

use std::path::PathBuf;

use actors::home::{self, Kind};
use actors::model::Model;
use actors::script::Scripts;
use clap::{Parser, Subcommand};

/// Answer real agents from scripts, or make a throw-away home for one.
#[derive(Parser)]
#[command(name = "scripted-model", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve on loopback until ended; prints the address
    Serve {
        /// Folder of the scripts
        #[arg(long, default_value = "fixtures/scripts")]
        scripts: PathBuf,
        /// Port; 0 takes any
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Append what was done to this file, one JSON object a line
        #[arg(long)]
        log: Option<PathBuf>,
    },
    /// Make a project and a home for an agent; prints the variables to start it with, as NAME=VALUE lines
    Home {
        /// The agent
        agent: Kind,
        /// Folder for the home, which is made
        #[arg(long)]
        home: PathBuf,
        /// Folder for the project, which is made
        #[arg(long)]
        project: PathBuf,
        /// Address of the model server
        #[arg(long)]
        model: std::net::SocketAddr,
    },
    /// Make a project alone
    Project {
        /// Its folder
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().verb {
        Verb::Serve { scripts, port, log } => {
            let model = Model::start(Scripts::load(&scripts)?, port, log).await?;
            println!("{}", model.address);
            std::future::pending().await
        }
        Verb::Home { agent, home, project, model } => {
            home::project(&project)?;
            for (name, value) in home::set_up(agent, &home, &project, model)? {
                println!("{name}={value}");
            }
            Ok(())
        }
        Verb::Project { folder } => home::project(&folder),
    }
}
