//! Sessions and prompts for tests. Must not: be compiled into the server.

use std::collections::BTreeMap;

use wire::session::{Claim, Context, Link, Moves, Session, Size, Source, State};
use wire::wrapper::{Hello, Now};
use wire::{HostId, SessionId, UnixMillis};

/// A claim.
pub fn claim(state: State) -> Claim {
    Claim {
        state,
        source: Source::Status,
        rule: "test.state".into(),
        evidence: "as told".into(),
        since: UnixMillis(1_000),
        background: false,
    }
}

/// A context.
pub fn context(dir: &str, branch: Option<&str>) -> Context {
    Context {
        dir: dir.into(),
        branch: branch.map(Into::into),
        repo: Some(dir.into()),
        env: BTreeMap::new(),
        hash: format!("{dir} {branch:?}"),
    }
}

/// The present of a session.
pub fn now(state: State) -> Now {
    Now {
        claim: claim(state),
        context: context("/w", Some("main")),
        title: String::new(),
        dialog: None,
        size: Size { cols: 80, rows: 24 },
        attached: false,
        kept: false,
        moves: Moves::None,
        interpreter: false,
        last_line: String::new(),
        metrics: BTreeMap::new(),
        exit: None,
    }
}

/// A hello.
pub fn hello(id: &str, state: State) -> Hello {
    Hello {
        protocol: wire::PROTOCOL,
        protocol_oldest: wire::PROTOCOL_OLDEST,
        version: "0".into(),
        session: SessionId(id.into()),
        name: id.into(),
        host: HostId("h".into()),
        host_name: "here".into(),
        agent: "claude".into(),
        argv: vec!["claude".into()],
        role: None,
        caps: Vec::new(),
        pool: None,
        started: UnixMillis(1),
        epoch: 1,
        last_seq: 0,
        fence: 0,
        holds: None,
        now: now(state),
    }
}

/// A session.
pub fn session(id: &str, state: State) -> Session {
    Session {
        id: SessionId(id.into()),
        name: id.into(),
        host: HostId("h".into()),
        host_name: "here".into(),
        agent: "claude".into(),
        argv: vec!["claude".into()],
        role: None,
        caps: Vec::new(),
        pool: None,
        moves: Moves::None,
        interpreter: false,
        paused: false,
        limited: None,
        claim: claim(state),
        link: Link::Connected,
        link_since: UnixMillis(0),
        context: context("/w", Some("main")),
        title: String::new(),
        dialog: None,
        prompt: None,
        size: Size { cols: 80, rows: 24 },
        attached: false,
        kept: false,
        keyboard: None,
        last_line: String::new(),
        metrics: BTreeMap::new(),
        started: UnixMillis(1),
        active: UnixMillis(0),
        exit: None,
    }
}
