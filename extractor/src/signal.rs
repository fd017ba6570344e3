//! What the program says about itself: status protocol, title, shell marks. Must not: look at the screen.

use std::time::Duration;

use base64::Engine;
use patterns::{Agent, StateWord};

/// A word of the program status protocol, OSC 7501.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusWord {
    /// It waits for a prompt.
    Idle,
    /// A turn runs.
    Working,
    /// It waits for an answer.
    Blocked,
    /// The turn ended.
    Done,
    /// The turn failed.
    Error,
}

/// The last status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it says.
    pub word: StatusWord,
    /// What a blocked program waits for.
    pub kind: String,
    /// What it says in words.
    pub message: String,
    /// When it came.
    pub at: Duration,
}

/// What a status text means.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A new status.
    Status(Status),
    /// None holds any more.
    Clear,
    /// It was not understood.
    Nothing,
}

/// Reads the fields of OSC 7501: `state=..:app=..:kind=..:progress=..:msg=<base64>`.
pub fn status(body: &str, at: Duration) -> Told {
    let field = |name: &str| body.split(':').find_map(|f| f.strip_prefix(name)?.strip_prefix('='));
    let word = match field("state") {
        Some("idle") => StatusWord::Idle,
        Some("working") => StatusWord::Working,
        Some("blocked") => StatusWord::Blocked,
        Some("done") => StatusWord::Done,
        Some("error") => StatusWord::Error,
        Some("clear") => return Told::Clear,
        _ => return Told::Nothing,
    };
    let message = field("msg").and_then(decode).unwrap_or_default();
    Told::Status(Status { word, kind: field("kind").unwrap_or_default().to_owned(), message, at })
}

fn decode(text: &str) -> Option<String> {
    let padded = text.trim_end_matches('=');
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(padded).ok()?;
    Some(String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).take(300).collect())
}

/// What the last title means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// The state; idle means only that no turn runs.
    pub state: StateWord,
    /// The rule.
    pub rule: String,
    /// The title.
    pub text: String,
    /// How long it is believed without any output; zero for ever.
    pub lease: Duration,
    /// Since when titles say this state.
    pub since: Duration,
    /// When it was set.
    pub at: Duration,
}

/// Reads a title by the agent's rules.
pub fn title(agent: &Agent, version: Option<&str>, text: &str, now: Duration) -> Option<Title> {
    let held = agent.titles.iter().filter(|rule| version.is_none_or(|v| rule.versions.allow(v)));
    held.into_iter().find(|rule| rule.pattern.is_match(text)).map(|rule| Title {
        state: rule.state,
        rule: rule.id.clone(),
        text: text.trim().chars().take(200).collect(),
        lease: Duration::from_secs(rule.lease_s),
        since: now,
        at: now,
    })
}

/// Where a shell that sends OSC 133 stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It shows its prompt (A, B).
    Prompt,
    /// A command runs (C).
    Running,
    /// A command ended (D), with its status where it was given.
    Ended(Option<i32>),
}

/// Reads a mark of OSC 133.
pub fn mark(letter: char, rest: &str) -> Option<Mark> {
    match letter {
        'A' | 'B' | 'N' | 'P' => Some(Mark::Prompt),
        'C' => Some(Mark::Running),
        'D' => Some(Mark::Ended(rest.split(';').next().and_then(|code| code.parse().ok()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_with_its_message() {
        let at = Duration::from_secs(1);
        let Told::Status(status) = super::status("state=blocked:app=x:kind=permission:msg=YXBwcm92ZQ==", at)
        else {
            panic!("not read");
        };
        assert_eq!((status.word, status.kind.as_str()), (StatusWord::Blocked, "permission"));
        assert_eq!(status.message, "approve");
        assert_eq!(super::status("state=clear", at), Told::Clear);
        assert_eq!(super::status("state=dancing", at), Told::Nothing);
    }
}
