//! What the keys ask for, carried out over the server's interface. Must not: decide whether it makes sense.

use hyper::Method;
use rustix::process::{Signal, getpid, kill_process};
use serde::Serialize;
use wire::admin::Routing;
use wire::http::{Answer, Counted, Done, Selection};
use wire::prompt::Prompt;
use wire::text::escape;

use super::board::Board;
use super::command::Line;
use super::desk::Mode;
use super::keys::Effect;
use crate::client::Client;
use crate::failure::Failure;
use crate::queued;

/// The signal by which a terminal stops a program.
pub const STOP: i32 = Signal::TSTP.as_raw();
/// The signal by which it goes on.
pub const RESUMED: i32 = Signal::CONT.as_raw();

/// What came of it.
pub struct Outcome {
    /// What to say.
    said: Result<String, String>,
    /// A prompt as it is now.
    prompt: Option<Prompt>,
    /// A line that was not sent, with the key that makes it the same prompt if it arrived all the same.
    line: Option<(String, String)>,
}

impl Outcome {
    /// Whether it was done, for whoever has no board to be told on.
    pub fn done(self) -> Result<(), Failure> {
        self.said.map(drop).map_err(Failure::Failed)
    }
}

/// Stops this process as the terminal's stop key does any other.
pub fn stop() {
    let _ = kill_process(getpid(), Signal::STOP);
}

/// Does it.
pub async fn carry(client: &Client, effect: Effect) -> Outcome {
    match effect {
        Effect::Send { line, key, prompt } => {
            let key = key.unwrap_or_else(queued::fresh_key);
            let sent = match body(&*prompt) {
                Ok(body) => client.ask(Method::POST, "/v1/prompts", Some(body), Some(&key)).await,
                Err(e) => Err(e),
            };
            let failed = sent.is_err();
            Outcome { line: failed.then_some((line, key)), ..of_prompt(sent, "is ") }
        }
        Effect::Answer { approval, dialog, choice } => {
            let path = format!("/v1/approvals/{approval}/answer");
            let answer = Answer { dialog, choice };
            said(post::<Done>(client, &path, &answer).await.map(|_| "answered".to_owned()))
        }
        Effect::Retry(id) => {
            of_prompt(client.post(&format!("/v1/prompts/{id}/retry"), None).await, "is tried again: ")
        }
        Effect::Cancel(id) => of_prompt(client.post(&format!("/v1/prompts/{id}/cancel"), None).await, "is "),
        Effect::Seen(id) => {
            let selection = Selection { ids: Some(vec![id]), ..Selection::default() };
            let seen = post::<Counted>(client, "/v1/prompts/seen", &selection).await;
            said(seen.map(|_| format!("prompt {id} was taken note of")))
        }
        Effect::Several { deed, ids } => {
            let selection = Selection { ids: Some(ids), ..Selection::default() };
            let some = post::<Counted>(client, &format!("/v1/prompts/{}", deed.route()), &selection).await;
            said(some.map(|some| deed.done(some.count)))
        }
        Effect::Pause(paused) => {
            let routing = post::<Routing>(client, "/v1/routing", &Routing { paused }).await;
            let text =
                |r: Routing| if r.paused { "no prompts are given out" } else { "prompts are given out" };
            said(routing.map(|r| text(r).to_owned()))
        }
        // The loop does these itself.
        Effect::Quit | Effect::Suspend | Effect::Repaint => said(Ok(String::new())),
    }
}

/// Tells the board.
pub fn learn(board: &mut Board, outcome: Outcome) {
    if let Some(prompt) = outcome.prompt {
        board.prompt(prompt);
    }
    match outcome.said {
        Ok(text) => board.desk.tell(text, board.clock),
        Err(text) => board.desk.fail(text, board.clock),
    }
    if let Some((line, key)) = outcome.line {
        // Nobody is interrupted: it can still be had again from the past, and is the same prompt then.
        board.desk.may_have_arrived(&line, &key);
        if board.desk.mode == Mode::Browse {
            board.desk.mode = Mode::Line(Line::again(line, key));
        }
    }
}

fn said(done: Result<String, Failure>) -> Outcome {
    Outcome { said: done.map_err(reason), prompt: None, line: None }
}

fn of_prompt(done: Result<Prompt, Failure>, how: &str) -> Outcome {
    match done {
        Ok(prompt) => {
            let hold = prompt.hold.as_ref().map(|h| format!(": {}", escape(&h.text))).unwrap_or_default();
            let text = format!("prompt {} {how}{}{hold}", prompt.id, prompt.state);
            Outcome { said: Ok(text), prompt: Some(prompt), line: None }
        }
        Err(e) => said(Err(e)),
    }
}

fn reason(failure: Failure) -> String {
    failure.text().unwrap_or("it was not done").to_owned()
}

async fn post<T: serde::de::DeserializeOwned>(
    client: &Client,
    path: &str,
    value: &impl Serialize,
) -> Result<T, Failure> {
    client.post(path, Some(body(value)?)).await
}

fn body(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|e| Failure::failed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::command::Purpose;
    use super::super::keys::Key;
    use super::*;
    use wire::UnixMillis;

    fn lost(mode: Mode) -> Board {
        let mut board = Board { clock: UnixMillis(1), ..Board::default() };
        board.desk.mode = mode;
        board.desk.remember(" fix it");
        let line = Some((" fix it".to_owned(), "k".to_owned()));
        learn(&mut board, Outcome { said: Err("the server is gone".into()), prompt: None, line });
        board
    }

    #[test]
    fn a_line_that_could_not_be_sent_is_put_back_under_its_key() {
        let Mode::Line(line) = lost(Mode::Browse).desk.mode else { panic!("the line is lost") };
        assert_eq!((line.text.as_str(), line.key.as_deref()), (" fix it", Some("k")));
        let mut busy = lost(Mode::Help { scroll: 0 });
        let mut line = Line::new(Purpose::Send, "");
        line.press(Key::Up, &busy.desk.past);
        assert_eq!(
            (line.text.as_str(), line.key.as_deref()),
            (" fix it", Some("k")),
            "it is the same prompt"
        );
        assert_eq!(busy.desk.mode, Mode::Help { scroll: 0 }, "nobody is interrupted");
        assert!(busy.desk.notice.as_ref().is_some_and(|n| n.text.contains("gone")));
        busy.desk.remember(" fix it");
        assert_eq!(busy.desk.past[0].key, None, "what is sent again and arrives is done with");
    }
}
