//! `assign tmux`: the panes of a local tmux, those that Muster did not start as well.
//!
//! Owns: what can be asked of tmux. `server` is the one way to it, `pane` what it tells. Must not: type into a pane unless
//! a person has allowed that, or into one whose prompts the queue delivers.

mod act;
mod adopt;
mod follow;
mod layout;
mod marks;
mod next;
mod open;
mod pane;
mod server;
mod start;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use pane::PaneId;
use server::Server;

pub use act::Captured;
pub use pane::Pane;

const LAYOUT: &str = "\
Example:
  [[window]]
  name = \"work\"
  layout = \"tiled\"           # or even-horizontal, even-vertical, main-horizontal, main-vertical

  [[window.pane]]
  name = \"api\"              # its session is found by it
  dir = \"~/api\"             # from the file's folder; without it, that folder
  agent = \"NAME\"            # its command
  role = \"worker\"

  [[window.pane]]
  name = \"tests\"
  command = [\"make\", \"watch\"]";

/// What is done with tmux.
#[derive(Debug, Args)]
pub struct TmuxArgs {
    /// The socket of the tmux server (default: of the one that this runs in, else of your own)
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    #[command(subcommand)]
    verb: TmuxVerb,
}

#[derive(Debug, Subcommand)]
enum TmuxVerb {
    /// List the panes, with the sessions that they show
    Ls,
    /// Run a command under `wrap` in a new window
    New {
        /// Name of the session and of the window (default: the command with a number)
        #[arg(long)]
        name: Option<String>,
        /// Run in this directory (default: here)
        #[arg(short = 'C', long = "dir", value_name = "DIR")]
        dir: Option<PathBuf>,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Watch a pane that Muster did not start, as a session: its state, its screen, its record
    ///
    /// It ends when the pane ends, or the one pipe that tmux has for it. Nothing is typed into it, and no prompts are given to
    /// it, unless --may-type says so.
    Adopt {
        /// Its id, for example %3
        pane: PaneId,
        /// Name of the session (default: the command with a number)
        #[arg(long)]
        name: Option<String>,
        /// Let prompts, answers and keys be typed into it
        #[arg(long)]
        may_type: bool,
    },
    /// Say that `send` may type into a pane that Muster did not start
    Allow {
        /// Its id, for example %3
        pane: PaneId,
        /// No longer
        #[arg(long)]
        not: bool,
    },
    /// Type one line into a pane for which that was allowed; a session gets its prompts by `assign --to`
    Send {
        /// Its id, for example %3
        pane: PaneId,
        /// The line; `-` reads standard input
        text: String,
        /// Press Enter after it
        #[arg(long)]
        enter: bool,
    },
    /// Print what a pane shows
    Capture {
        /// Its id, for example %3
        pane: PaneId,
        /// With colours, and with nothing escaped: for a program, not for a terminal
        #[arg(long)]
        raw: bool,
        /// Also so many lines from before
        #[arg(long, short = 'n', value_name = "LINES", default_value_t = 0)]
        history: u32,
    },
    /// Run what a pane shows anew, under `wrap`, in the same pane
    Wrap {
        /// Its id, for example %3
        pane: PaneId,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Open the windows and panes of a file; what runs already is left alone, or shown when no terminal shows it
    #[command(after_help = LAYOUT)]
    Open {
        /// The file, in TOML
        file: PathBuf,
    },
    /// Go to the session that has waited longest for you; from there, to the next one
    Next,
    /// Keep tmux's options up to date until it ends: @muster_status and @muster_asks, and of each pane that shows a
    /// session @muster_session, @muster_state (asks, busy, idle, unknown) and @muster_hand (the prompt that has the
    /// keyboard, or kept); the plugin starts it
    Follow,
    /// End a pane with what runs in it; a session that it shows goes on
    Kill {
        /// Its id, for example %3
        pane: PaneId,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Does one of these.
pub async fn run(client: Result<Client, Failure>, print: &Printer, args: TmuxArgs) -> Result<(), Failure> {
    let server = Server::find(args.socket)?;
    match args.verb {
        TmuxVerb::Ls => act::ls(&server, print),
        TmuxVerb::New { name, dir, command } => {
            act::new(&server, print, name.as_deref(), dir.as_deref(), &command)
        }
        TmuxVerb::Adopt { pane, name, may_type } => {
            adopt::adopt(&client?, &server, print, &pane, name.as_deref(), may_type).await
        }
        TmuxVerb::Allow { pane, not } => act::allow(&server, print, &pane, !not),
        TmuxVerb::Send { pane, text, enter } => act::send(&server, print, &pane, &text, enter),
        TmuxVerb::Capture { pane, raw, history } => act::capture(&server, print, &pane, raw, history),
        TmuxVerb::Wrap { pane, yes } => act::wrap(&server, print, &pane, yes),
        TmuxVerb::Open { file } => open::open(&server, print, &file),
        TmuxVerb::Next => next::next(&client?, &server).await,
        TmuxVerb::Follow => follow::follow(client?, server).await,
        TmuxVerb::Kill { pane, yes } => act::kill(&server, print, &pane, yes),
    }
}
