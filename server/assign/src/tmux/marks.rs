//! What tmux's options shall say of the sessions, and how they come to say it. Pure. Must not: run tmux.

use std::collections::BTreeMap;

use wire::session::{Link, Session, State};

use super::pane::{Live, PaneId};
use crate::watch::Board;

/// An option: of one pane, or of the whole server.
type Key = (Option<PaneId>, &'static str);

/// Values of options. All are words, numbers and names of sessions, in which tmux finds no format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<Key, String>);

impl Marks {
    /// What is known of the sessions, in the panes that show them.
    pub fn of(board: &Board, live: &[Live], socket: &str) -> Self {
        let mut marks = BTreeMap::new();
        let asks = board.sessions.values().filter(|s| word(s) == "asks").count();
        marks.insert((None, "@muster_status"), board.counts());
        marks.insert((None, "@muster_asks"), asks.to_string());
        for session in board.sessions.values().filter(|s| s.claim.state != State::Exited) {
            let here = live.iter().find(|live| live.id == session.id.0 && plain(&live.name));
            let Some((live, pane)) = here.and_then(|live| Some((live, live.seen_in(socket)?))) else {
                continue;
            };
            marks.insert((Some(pane.clone()), "@muster_session"), live.name.clone());
            if let Some(hand) = hand(session) {
                marks.insert((Some(pane.clone()), "@muster_hand"), hand);
            }
            marks.insert((Some(pane), "@muster_state"), word(session).to_owned());
        }
        Self(marks)
    }

    /// When no server can be heard.
    pub fn unknown() -> Self {
        Self(BTreeMap::from([((None, "@muster_status"), "no server".to_owned())]))
    }

    /// The commands that lead here from what the options say now; none when nothing has changed.
    pub fn since(&self, before: &Self) -> Vec<Vec<String>> {
        let gone = before.0.keys().filter(|key| !self.0.contains_key(key)).map(|key| command(key, None));
        let new = self.0.iter().filter(|(key, value)| before.0.get(key) != Some(value));
        gone.chain(new.map(|(key, value)| command(key, Some(value)))).collect()
    }
}

/// `-q`: a pane that is gone by now needs no mark, and must not keep others from theirs.
fn command((pane, name): &Key, value: Option<&str>) -> Vec<String> {
    let mut words = vec!["set-option", "-q"];
    match pane {
        Some(pane) => words.extend(["-p", "-t", pane.as_str()]),
        None => words.push("-g"),
    }
    match value {
        Some(value) => words.extend([name, value]),
        None => words.extend(["-u", name]),
    }
    words.into_iter().map(str::to_owned).collect()
}

/// The words of the counts.
fn word(session: &Session) -> &'static str {
    match (session.link, session.claim.state) {
        (Link::Disconnected, _) | (_, State::Unknown) => "unknown",
        (_, State::WaitingPermission | State::WaitingInput) => "asks",
        (_, State::Busy | State::Starting) => "busy",
        (_, State::Idle) => "idle",
        (_, State::Exited) => "ended",
    }
}

/// Whose hand is on the keyboard, when it is not just anybody's: that of a prompt from the queue, by its number, or that
/// of the person at this terminal, who keeps others out.
fn hand(session: &Session) -> Option<String> {
    match session.prompt {
        _ if session.kept => Some("kept".to_owned()),
        prompt => prompt.map(|id| format!("#{id}")),
    }
}

/// A name that `wrap` gives, and in which tmux finds no format.
pub fn plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(plain) && !name.starts_with(['-', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample;

    fn live(session: &Session, pane: &str) -> Live {
        Live {
            id: session.id.0.clone(),
            name: session.name.clone(),
            attached: true,
            pane: Some(pane.into()),
            tmux: Some("/s".into()),
            argv: Vec::new(),
        }
    }

    #[test]
    fn only_what_changed_is_set_and_what_is_gone_is_taken_away() {
        let mut board = Board::default();
        let mut session = sample::session("api", State::Idle);
        board.sessions.insert(session.id.clone(), session.clone());
        let panes = [live(&session, "%3")];
        let first = Marks::of(&board, &panes, "/s");
        let said: Vec<String> = first.since(&Marks::default()).iter().map(|words| words.join(" ")).collect();
        assert_eq!(
            said,
            [
                "set-option -q -g @muster_asks 0",
                "set-option -q -g @muster_status 1 idle",
                "set-option -q -p -t %3 @muster_session api",
                "set-option -q -p -t %3 @muster_state idle",
            ]
        );
        assert!(Marks::of(&board, &panes, "/s").since(&first).is_empty(), "nothing has changed");
        session.claim.state = State::Busy;
        board.sessions.insert(session.id.clone(), session.clone());
        let second = Marks::of(&board, &panes, "/s");
        assert_eq!(second.since(&first).len(), 2);
        session.prompt = Some(wire::PromptId(7));
        board.sessions.insert(session.id.clone(), session.clone());
        let third = Marks::of(&board, &panes, "/s");
        assert_eq!(third.since(&second).concat().join(" "), "set-option -q -p -t %3 @muster_hand #7");
        session.kept = true;
        board.sessions.insert(session.id.clone(), session.clone());
        let kept = Marks::of(&board, &panes, "/s");
        assert_eq!(kept.since(&third).concat().join(" "), "set-option -q -p -t %3 @muster_hand kept");
        let lost = Marks::unknown().since(&second);
        assert!(
            lost.iter().any(|words| words.join(" ") == "set-option -q -p -t %3 -u @muster_state"),
            "{lost:?}"
        );
        assert!(
            !Marks::of(&board, &panes, "/t")
                .since(&Marks::default())
                .iter()
                .any(|w| w.contains(&"-p".into()))
        );
    }

    #[test]
    fn a_name_that_tmux_would_read_is_not_shown() {
        let mut board = Board::default();
        let mut session = sample::session("api", State::Idle);
        session.name = "#(touch x)".into();
        board.sessions.insert(session.id.clone(), session.clone());
        let marks = Marks::of(&board, &[live(&session, "%3")], "/s");
        assert!(marks.since(&Marks::default()).iter().flatten().all(|word| !word.contains('#')));
    }
}
