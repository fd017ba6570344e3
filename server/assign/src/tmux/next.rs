//! The jump to the next session that needs the user. Must not: answer for them.

use wire::session::Session;

use super::marks::plain;
use super::pane::{self, Live, PaneId};
use super::server::Server;
use super::start::Start;
use crate::client::Client;
use crate::failure::Failure;

/// Goes to its pane, or shows it in a new window; says so in tmux's status line when nobody needs the user.
pub async fn next(client: &Client, server: &Server) -> Result<(), Failure> {
    let sessions: Vec<Session> = client.get("/v1/sessions").await?;
    let told = server.run(&["display-message", "-p", "#{pane_id} #{socket_path}"])?;
    let (here, socket) = told.trim_end_matches('\n').split_once(' ').unwrap_or_default();
    let live = pane::live();
    let Some((live, pane)) = choose(&sessions, &live, socket, here) else {
        server.run(&["display-message", "no session of this machine needs you"])?;
        return Ok(());
    };
    let pane = match pane {
        Some(pane) => pane,
        None => Start::Attach { name: &live.name }.window(server, Some(&live.name))?,
    };
    server.run(&["select-window", "-t", pane.as_str()])?;
    server.run(&["select-pane", "-t", pane.as_str()])?;
    match server.run(&["switch-client", "-t", pane.as_str()]) {
        // No terminal shows tmux now: it will show the pane when one does.
        Err(Failure::Failed(_)) => Ok(()),
        done => done.map(|_| ()),
    }
}

/// The one that has waited longest; from the pane of one that waits, the next after it. With its pane, when it is in one.
fn choose<'a>(
    sessions: &[Session],
    live: &'a [Live],
    socket: &str,
    here: &str,
) -> Option<(&'a Live, Option<PaneId>)> {
    let mut waiting: Vec<&Session> = sessions.iter().filter(|s| s.claim.state.waits()).collect();
    waiting.sort_by_key(|s| (s.claim.since, &s.id));
    let reached: Vec<(&Live, Option<PaneId>)> = waiting
        .iter()
        .filter_map(|s| live.iter().find(|l| l.id == s.id.0 && plain(&l.name)))
        .map(|l| (l, l.seen_in(socket)))
        .collect();
    let is_here = |(_, pane): &(&Live, Option<PaneId>)| pane.as_ref().is_some_and(|p| p.as_str() == here);
    let after = reached.iter().position(is_here).map_or(0, |at| at + 1);
    reached.get(after).or(reached.first()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample;
    use wire::UnixMillis;
    use wire::session::State;

    #[test]
    fn the_one_that_waited_longest_is_first_and_then_they_take_turns() {
        let mut sessions = ["b", "a", "c"].map(|name| sample::session(name, State::WaitingPermission));
        sessions[0].claim.since = UnixMillis(5);
        sessions[2].claim.state = State::Idle;
        let live: Vec<Live> = [("a", "%1"), ("b", "%2"), ("c", "%3")]
            .map(|(name, pane)| Live {
                id: name.into(),
                name: name.into(),
                attached: true,
                pane: Some(pane.into()),
                tmux: Some("/s".into()),
                argv: Vec::new(),
            })
            .into();
        let from = |here| choose(&sessions, &live, "/s", here).map(|(live, _)| live.name.as_str());
        assert_eq!(
            [from("%9"), from("%1"), from("%2"), from("%3")],
            [Some("a"), Some("b"), Some("a"), Some("a")]
        );
        let (_, pane) = choose(&sessions, &live, "/other", "%9").unwrap();
        assert_eq!(pane, None, "its pane is in another tmux");
        assert!(choose(&sessions[2..], &live, "/s", "%9").is_none());
    }
}
