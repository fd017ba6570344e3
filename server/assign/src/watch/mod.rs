//! `assign watch`: sessions and prompts as they change; a full screen on a terminal, lines elsewhere.
//!
//! Owns: which of the two it is. What is known is in `board`, a pure reduction of the feed; what a key means in `keys`,
//! pure as well; what is seen of it in `draw`. Only `run` and `screen` touch a socket or a terminal.

mod board;
mod carry;
mod command;
mod desk;
mod draw;
mod inbox;
mod keys;
mod lines;
mod quiet;
mod run;
#[cfg(test)]
pub mod sample;
mod screen;
mod shown;
mod tail;
mod whole;

use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;

pub use board::Board;
pub use lines::counts;

/// Shows changes until the user, the server or whoever reads the output has enough. Gives the exit code.
pub async fn watch(client: Client, print: &Printer) -> Result<u8, Failure> {
    if print.on_terminal() {
        return run::run(client).await;
    }
    lines::changes(&client, print).await.map(|()| 0)
}
