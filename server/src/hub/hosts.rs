//! Hosts: what is known of the machines that sessions run on, from what their wrappers told last.
//!
//! Owns: nothing that is kept; all of it is told anew by the next heartbeats. Must not: decide who gets a prompt.

use std::collections::{BTreeMap, BTreeSet};

use wire::admin::{HostRow, Resources};
use wire::session::Link;
use wire::{HostId, SessionId, UnixMillis};

use super::Control;
use crate::session::Live;

/// What a wrapper told of its host, and when.
#[derive(Debug, Clone, Copy)]
pub struct Spare {
    resources: Resources,
    at: UnixMillis,
}

impl Control {
    /// A wrapper told what its host can spare.
    pub(super) fn spares(&mut self, session: &SessionId, resources: Resources, now: UnixMillis) {
        let Some(live) = self.sessions.get(session) else { return };
        self.spare.insert(live.kept.card.host.clone(), Spare { resources, at: now });
    }

    /// Forgets what was told of hosts that no session is listed of.
    pub(super) fn forget_hosts(&mut self) {
        let listed: BTreeSet<&HostId> = self.sessions.values().map(|live| &live.kept.card.host).collect();
        self.spare.retain(|host, _| listed.contains(host));
    }

    /// Every host with a live session, by name.
    pub(super) fn hosts(&self) -> Vec<HostRow> {
        let mut by_host: BTreeMap<&HostId, Vec<&Live>> = BTreeMap::new();
        for live in self.sessions.values().filter(|live| !live.ended()) {
            by_host.entry(&live.kept.card.host).or_default().push(live);
        }
        let mut rows: Vec<HostRow> =
            by_host.into_iter().map(|(id, lives)| row(id, &lives, self.spare.get(id))).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        rows
    }
}

fn row(id: &HostId, lives: &[&Live], spare: Option<&Spare>) -> HostRow {
    let connected = lives.iter().filter(|live| live.kept.card.link == Link::Connected);
    let versions: BTreeSet<&str> =
        lives.iter().filter_map(|live| live.link.as_ref()).map(|link| link.version.as_str()).collect();
    // A host may have been renamed: what was said last counts.
    let latest = lives.iter().max_by_key(|live| live.kept.card.link_since);
    HostRow {
        id: id.clone(),
        name: latest.map(|live| live.kept.card.host_name.clone()).unwrap_or_default(),
        versions: versions.into_iter().map(str::to_owned).collect(),
        sessions: count(lives.len()),
        connected: count(connected.count()),
        resources: spare.map(|spare| spare.resources),
        heard: lives.iter().map(|live| heard(live)).chain(spare.map(|s| s.at)).max().unwrap_or(UnixMillis(0)),
    }
}

/// When a session's wrapper was last heard: a link that is down has been silent since then.
fn heard(live: &Live) -> UnixMillis {
    live.link.as_ref().map_or(live.kept.card.link_since, |link| link.heard)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
