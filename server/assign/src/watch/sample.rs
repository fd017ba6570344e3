//! Sessions, prompts and requests for tests.

use std::collections::BTreeMap;

use wire::approval::{Approval, ApprovalState};
use wire::feed::ToViewer;
use wire::prompt::{NewPrompt, Prompt, PromptState};
use wire::session::{
    Claim, Context, Dialog, DialogKind, DialogOption, Link, Moves, Session, Size, Source, State,
};
use wire::{ApprovalId, HostId, PromptId, SessionId, UnixMillis};

/// A session whose name is its id.
pub fn session(name: &str, state: State) -> Session {
    let claim = Claim {
        state,
        source: Source::Screen,
        rule: "test".into(),
        evidence: "as the test says".into(),
        since: UnixMillis(1),
        background: false,
    };
    let context = Context {
        dir: "/home/u/project".into(),
        branch: Some("main".into()),
        repo: None,
        env: BTreeMap::new(),
        hash: String::new(),
    };
    Session {
        id: SessionId(name.into()),
        name: name.into(),
        host: HostId("h".into()),
        host_name: "here".into(),
        agent: "any".into(),
        argv: Vec::new(),
        role: None,
        caps: Vec::new(),
        pool: None,
        moves: Moves::None,
        interpreter: false,
        paused: false,
        limited: None,
        claim,
        link: Link::Connected,
        link_since: UnixMillis(1),
        context,
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
        active: UnixMillis(1),
        exit: None,
    }
}

/// A prompt that says its number.
pub fn prompt(id: i64, state: PromptState) -> Prompt {
    Prompt {
        id: PromptId(id),
        asked: NewPrompt::new(format!("task {id}")),
        state,
        hold: None,
        due: None,
        session: None,
        tried: 0,
        attempts: 3,
        attempt: None,
        result: None,
        seen: None,
        created: UnixMillis(1),
        changed: UnixMillis(1),
    }
}

/// A request of a session: to run `rm`, yes or no.
pub fn approval(id: i64, session: &str) -> Approval {
    let option = |index, label: &str| DialogOption { index, label: label.into(), selected: index == 0 };
    Approval {
        id: ApprovalId(id),
        session: SessionId(session.into()),
        dialog: Dialog {
            id: format!("dialog {id}"),
            kind: DialogKind::Permission,
            title: "Run a command?".into(),
            body: "rm -rf build".into(),
            options: vec![option(0, "Yes"), option(1, "No")],
            answerable: true,
            request: None,
        },
        state: ApprovalState::Open,
        by: None,
        rule: None,
        refused: None,
        opened: UnixMillis(1),
        closed: None,
        asked_by: None,
        words: None,
    }
}

/// The whole present.
pub fn whole(sessions: Vec<Session>, prompts: Vec<Prompt>) -> ToViewer {
    ToViewer::Everything { sessions, prompts, approvals: Vec::new(), paused: false }
}
