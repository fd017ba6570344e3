//! `assign watch`: sessions and prompts as they change; a full screen on a terminal, lines elsewhere.
//!
//! Owns: which of the two it is. What is known is in `board`, a pure reduction of the feed; what a key means in `keys`,
//! pure as well; what is seen of it in `draw`. Only `run` and `screen` touch a socket or a terminal.

mod board;
mod carry;
mod command;
mod desk;
mod draw;
mod herald;
mod inbox;
mod keys;
mod lines;
mod notices;
mod quiet;
mod run;
#[cfg(test)]
pub mod sample;
mod screen;
mod several;
mod shown;
mod tail;
mod whole;

use crate::client::Client;
use crate::failure::Failure;
use crate::notice::Wish;
use crate::print::Printer;

pub use board::Board;
use herald::Herald;
pub use lines::counts;

/// Shows changes until the user, the server or whoever reads the output has enough. Gives the exit code.
///
/// With a wish, what comes to wait for a person is told as a notice of the terminal.
pub async fn watch(client: Client, print: &Printer, wish: Option<Wish>) -> Result<u8, Failure> {
    let herald = wish.map(Herald::new).transpose()?.flatten();
    if print.on_terminal() {
        return run::run(client, herald).await;
    }
    lines::changes(&client, print, herald).await.map(|()| 0)
}
