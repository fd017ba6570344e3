//! The TypeScript of the wire types, as one file. Must not: write it; `tests/tidy` does, and compares.

use ts_rs::{Config, TS};

/// The characters that are hidden, as what stands between the brackets of a regular expression with the flag `u`.
pub fn hidden() -> String {
    let class: String = crate::text::HIDDEN
        .iter()
        .map(|range| format!("\\\\u{{{:x}}}-\\\\u{{{:x}}}", *range.start() as u32, *range.end() as u32))
        .collect();
    format!(
        "// Generated from the crate `wire` by `cargo test -p tidy`; do not edit.\n\n\
         /** What hides or reorders what a person reads, for `new RegExp(`[${{HIDDEN}}]`, 'u')`. */\n\
         export const HIDDEN =\n  '{class}';\n"
    )
}

macro_rules! declare {
    ($($module:ident :: { $($name:ident),+ $(,)? }),+ $(,)?) => {
        /// All wire types that the dashboard uses, as one TypeScript module.
        pub fn module() -> String {
            let config = Config::new().with_large_int("number");
            let mut out = String::from("// Generated from the crate `wire` by `cargo test -p tidy`; do not edit.\n");
            $($(
                out.push_str("\nexport ");
                out.push_str(&crate::$module::$name::decl(&config));
                out.push('\n');
            )+)+
            out
        }
    };
}

declare! {
    ids::{SessionId, HostId, PromptId, AttemptId, UnixMillis},
    session::{
        State, Source, Link, DialogKind, Action, Moves, Claim, DialogOption, ToolRequest, Dialog, Context, Size, Exit, Session,
    },
    event::{EventKind, Severity, Origin, Event},
    prompt::{
        PromptState, HoldCode, Step, Outcome, Cause, WorktreePolicy, Hold, PromptResult, Verification, Changes,
        FileChange, Worktree, Summary, ModelUse, Phases, Receipt, Attempt, Progress, Parent, NewPrompt, Prompt, Score, ScorePoint,
    },
    approval::{ApprovalId, ApprovalState, Effect, Root, Approval, Rule, Policies, PolicyText, PolicyTrial, PolicyExample, Verdict},
    wrapper::{Choice},
    http::{
        ErrorCode, ErrorBody, Done, Status, LoginLink, Answer, Reassign, EventRow, PromptDetail,
        RecordingPart, Edit, Selection, Counted, Plan, Planned, ContextRow, AuditEntry, Audit, FoundEvent, Events,
    },
    search::{HitKind, Found, Hit, Piece},
    insight::{
        Insight, Ends, Spread, PhaseTimes, Utilisation, Switches, Matches, ApprovalTimes, ErrorGroup, Usage,
    },
    pool::{NewPool, Pool},
    alert::{AlertKind, SinkKind, Alert, QuietHours, NewSink, Sink},
    admin::{Role, Bounds, TokenRow, NewToken, MadeToken, Me, Resources, HostRow, Routing, Template},
    feed::{ToViewer, FromViewer},
}
