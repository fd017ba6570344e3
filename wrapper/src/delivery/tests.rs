//! The promises of delivery: drawn by hand for the ways that matter, at random for those nobody thought of.

use extractor::Composer;
use extractor::{Shown, State};
use patterns::{InputRecipe, Paste, Pattern};
use wire::prompt::{Cause, Outcome, Step};
use wire::session::{Context, Moves};

use super::typing::ENTERS_MAX;
use super::*;
use crate::gate::Looks;
use wire::PromptId;

/// A program that does what it is told, as far as the test says.
pub(super) struct Agent {
    pub(super) state: State,
    pub(super) composer: Composer,
    pub(super) dialog: bool,
    pub(super) person: Option<UnixMillis>,
    pub(super) context: Context,
    pub(super) recipe: InputRecipe,
    pub(super) bracketed: bool,
    pub(super) moves: Moves,
    pub(super) commit: Option<String>,
    pub(super) progress: UnixMillis,
    pub(super) counted: bool,
    /// Everything that was written to it.
    pub(super) written: Vec<Vec<u8>>,
    /// Everything else that was to be done.
    pub(super) asked: Vec<Effect>,
}

impl Agent {
    pub(super) fn idle() -> Self {
        Self {
            state: State::Idle,
            composer: Composer::Empty,
            dialog: false,
            person: None,
            context: Context {
                branch: Some("main".into()),
                repo: Some("/p".into()),
                ..crate::context::of_dir(std::path::Path::new("/p"))
            },
            recipe: InputRecipe {
                paste: Paste::WhenAsked,
                enter: b"\r".to_vec(),
                interrupt: b"\x1b".to_vec(),
                prefixes: vec!['!', '/'],
                guard: None,
                command: None,
                settle_ms: 100,
                told_failures: true,
                interpreter: false,
                moves: patterns::Moves::None,
            },
            bracketed: true,
            moves: Moves::None,
            commit: None,
            progress: UnixMillis(0),
            counted: true,
            written: Vec::new(),
            asked: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, delivery: &mut Delivery, at: i64, input: Input) -> Vec<Report> {
        let composer = self.composer.clone();
        let shows = move |text: &str| match &composer {
            Composer::Holds(held) if held == text => Shown::Text,
            Composer::Holds(held) if text.starts_with(held.as_str()) => Shown::Part,
            _ => Shown::No,
        };
        let view = View {
            looks: Looks {
                watched: false,
                kept: false,
                state: self.state,
                composer: self.composer.clone(),
                dialog: self.dialog,
                compacting: false,
                person: self.person,
            },
            shows: &shows,
            bracketed_paste: self.bracketed,
            context: &self.context,
            commit: &|| self.commit.clone(),
            moves: self.moves,
            progress: self.progress,
            counted: self.counted,
            recipe: &self.recipe,
        };
        let mut reports = Vec::new();
        for effect in delivery.apply(UnixMillis(at), &view, input) {
            match effect {
                Effect::Lease(_) => {}
                other @ (Effect::Keep(_)
                | Effect::Run(..)
                | Effect::Abort(_)
                | Effect::Relaunch { .. }
                | Effect::Exported(_)) => self.asked.push(other),
                Effect::Report(report) => reports.push(report),
                Effect::Type(bytes) | Effect::Interrupt(bytes) => self.written.push(bytes),
            }
        }
        reports
    }
}

pub(super) fn offer(fence: u64, text: &str) -> Offer {
    Offer { timeout_ms: 60_000, ..Offer::new(AttemptId(fence as i64), PromptId(1), fence, text) }
}

pub(super) fn completed() -> PromptResult {
    PromptResult { answer: "done".into(), ..PromptResult::new(Outcome::Completed, "", "status") }
}

pub(super) fn steps(reports: &[Report]) -> Vec<Step> {
    let step = |r: &Report| match r {
        Report::Receipt { receipt, .. } => Some(receipt.step),
        _ => None,
    };
    reports.iter().filter_map(step).collect()
}

/// The code under which the offer was held at once, with nothing typed.
fn refused(agent: &mut Agent, offer: Offer) -> HoldCode {
    let reports = agent.apply(&mut Delivery::new(0), 1_000_000, Input::Offer(offer));
    assert!(agent.written.is_empty());
    match reports.last() {
        Some(Report::Held { hold, .. }) => hold.code,
        other => panic!("not held: {other:?}"),
    }
}

#[test]
fn a36_paste_then_see_then_enter() {
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    let mut reports = agent.apply(&mut delivery, 0, Input::Offer(offer(1, "fix it")));
    assert_eq!(agent.written, [b"\x1b[200~fix it\x1b[201~".to_vec()]);
    reports.extend(agent.apply(&mut delivery, 1, Input::Typed(true)));
    reports.extend(agent.apply(&mut delivery, 500, Input::Look));
    assert_eq!(agent.written.len(), 1, "no Enter before the text was seen");
    agent.composer = Composer::Holds("fix it".into());
    reports.extend(agent.apply(&mut delivery, 600, Input::Look));
    reports.extend(agent.apply(&mut delivery, 650, Input::Look));
    assert_eq!(agent.written.len(), 1, "no Enter before the text had settled");
    reports.extend(agent.apply(&mut delivery, 700, Input::Look));
    assert_eq!(agent.written[1], b"\r");
    reports.extend(agent.apply(&mut delivery, 701, Input::Typed(true)));
    (agent.composer, agent.state) = (Composer::Empty, State::Busy);
    reports.extend(agent.apply(&mut delivery, 800, Input::Began));
    reports.extend(agent.apply(&mut delivery, 2_800, Input::Ended(completed())));
    use Step::*;
    assert_eq!(steps(&reports), [Offered, Intent, Written, Seen, Submitted, Accepted, Started, Ended]);
    assert!(matches!(reports.last(), Some(Report::Ended { result, .. }) if result.duration_ms == 2_000));
    assert_eq!(delivery.holds(), None);
}

#[test]
fn a35_the_gate_types_nothing_when_it_must_not() {
    let with = |change: fn(&mut Agent)| {
        let mut agent = Agent::idle();
        change(&mut agent);
        refused(&mut agent, offer(1, "x"))
    };
    assert_eq!(with(|a| a.dialog = true), HoldCode::DialogOpen);
    assert_eq!(with(|a| a.state = State::WaitingPermission), HoldCode::DialogOpen);
    assert_eq!(with(|a| a.state = State::Busy), HoldCode::NotIdle);
    assert_eq!(with(|a| a.state = State::Unknown), HoldCode::NotIdle);
    assert_eq!(with(|a| a.state = State::Starting), HoldCode::NotIdle);
    assert_eq!(with(|a| a.composer = Composer::Holds("a draft".into())), HoldCode::Draft);
    assert_eq!(with(|a| a.composer = Composer::Absent), HoldCode::ComposerUnreadable);
    assert_eq!(with(|a| a.person = Some(UnixMillis(998_000))), HoldCode::HumanTyping);
}

#[test]
fn a43_a_leading_prefix_is_literal_or_refused() {
    assert_eq!(refused(&mut Agent::idle(), offer(1, "!rm -rf x")), HoldCode::TextRefused);
    let mut guarded = Agent::idle();
    guarded.recipe.guard = Some(" ".into());
    guarded.apply(&mut Delivery::new(0), 0, Input::Offer(offer(1, "/etc is a folder")));
    assert_eq!(guarded.written, [b"\x1b[200~ /etc is a folder\x1b[201~".to_vec()]);
    // Where blanks are dropped before the text is looked at, a guard is none.
    let deaf = || {
        let mut agent = Agent::idle();
        agent.recipe.guard = Some(" ".into());
        agent.recipe.command = Some(Pattern::new("^(?:!|/[^/]*$)"));
        agent
    };
    for command in ["!ls", " \u{a0}!ls", "/clear", "\t/clear it"] {
        assert_eq!(refused(&mut deaf(), offer(1, command)), HoldCode::TextRefused, "{command}");
    }
    let mut path = deaf();
    path.apply(&mut Delivery::new(0), 0, Input::Offer(offer(1, "/etc/hosts is a file")));
    assert_eq!(path.written, [b"\x1b[200~ /etc/hosts is a file\x1b[201~".to_vec()]);
    let mut asked = deaf();
    asked.apply(&mut Delivery::new(0), 0, Input::Offer(Offer { command: true, ..offer(1, "/compact") }));
    assert_eq!(asked.written, [b"\x1b[200~/compact\x1b[201~".to_vec()]);
}

#[test]
fn a_prompt_for_another_place_is_not_typed_here() {
    let elsewhere = Offer { dir: Some("/q".into()), ..offer(1, "x") };
    assert_eq!(refused(&mut Agent::idle(), elsewhere), HoldCode::WrongContext);
    let other = Offer { branch: Some("dev".into()), ..offer(1, "x") };
    assert_eq!(refused(&mut Agent::idle(), other), HoldCode::WrongContext);
}

#[test]
fn several_lines_need_a_program_that_takes_them_as_one() {
    let mut agent = Agent::idle();
    agent.bracketed = false;
    assert_eq!(refused(&mut agent, offer(1, "one\ntwo")), HoldCode::TextRefused);
}

#[test]
fn a33_to_a_shell_several_lines_are_several_commands_and_are_refused() {
    let mut agent = Agent::idle();
    agent.recipe.interpreter = true;
    let payload = "\u{1b}[200~ echo safe \u{1b}[201~\rtouch broken-out\r";
    assert_eq!(refused(&mut agent, offer(1, payload)), HoldCode::TextRefused);
    assert!(agent.written.is_empty());
    let mut agent = Agent::idle();
    agent.recipe.interpreter = true;
    agent.apply(&mut Delivery::new(0), 0, Input::Offer(offer(1, "one line\n")));
    assert_eq!(agent.written.len(), 1, "the end of a line is none");
}

#[test]
fn an_old_fence_is_refused_and_a_repeated_offer_changes_nothing() {
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(5);
    let stale = agent.apply(&mut delivery, 0, Input::Offer(offer(5, "x")));
    assert!(matches!(&stale[..], [Report::Held { hold, .. }] if hold.code == HoldCode::StaleFence));
    agent.apply(&mut delivery, 0, Input::Offer(offer(6, "x")));
    assert_eq!(agent.apply(&mut delivery, 1, Input::Offer(offer(6, "x"))), []);
    assert_eq!(agent.written.len(), 1);
}

#[test]
fn a35_no_enter_while_the_agent_says_that_it_asks() {
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(offer(1, "fix it")));
    agent.apply(&mut delivery, 1, Input::Typed(true));
    agent.composer = Composer::Holds("fix it".into());
    agent.apply(&mut delivery, 100, Input::Look);
    // The dialog itself is not known yet.
    agent.state = State::WaitingPermission;
    agent.apply(&mut delivery, 400, Input::Look);
    assert_eq!(agent.written.len(), 1);
    agent.state = State::Idle;
    agent.apply(&mut delivery, 500, Input::Look);
    assert_eq!(agent.written[1..], [b"\r".to_vec()]);
}

#[test]
fn a_lost_enter_is_repeated_only_while_our_text_stands_there() {
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    agent.apply(&mut delivery, 0, Input::Offer(offer(1, "x")));
    agent.apply(&mut delivery, 0, Input::Typed(true));
    agent.composer = Composer::Holds("x".into());
    for at in (0..200_000).step_by(100) {
        agent.apply(&mut delivery, at, Input::Look);
        agent.apply(&mut delivery, at, Input::Typed(true));
    }
    assert_eq!(agent.written.iter().filter(|w| *w == b"\r").count() as u32, ENTERS_MAX);
    assert_eq!(delivery.holds(), None, "then it is held for a person");
}

#[test]
fn a_running_turn_that_is_called_off_is_interrupted_and_ends_as_cancelled() {
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    delivery.resume(&offer(1, "x"), None, UnixMillis(0));
    agent.state = State::Busy;
    agent.apply(&mut delivery, 10, Input::Cancel(AttemptId(1)));
    assert_eq!(agent.written, [b"\x1b".to_vec()]);
    let interrupted = PromptResult { outcome: Outcome::Interrupted, ..completed() };
    let reports = agent.apply(&mut delivery, 20, Input::Ended(interrupted));
    assert!(
        matches!(reports.last(), Some(Report::Ended { result, .. }) if result.outcome == Outcome::Cancelled)
    );
}

#[test]
fn a_turn_that_takes_too_long_is_interrupted_and_says_so() {
    let mut agent = Agent::idle();
    let mut delivery = Delivery::new(0);
    delivery.resume(&offer(1, "x"), None, UnixMillis(0));
    agent.state = State::Busy;
    agent.apply(&mut delivery, 60_001, Input::Look);
    assert_eq!(agent.written, [b"\x1b".to_vec()]);
    let reports = agent.apply(&mut delivery, 60_100, Input::Ended(completed()));
    assert!(
        matches!(reports.last(), Some(Report::Ended { result, .. }) if result.outcome == Outcome::TimedOut)
    );
}

#[test]
fn a_turn_without_a_word_is_not_complete_unless_a_command_was_sent() {
    for (command, outcome) in [(false, Outcome::Failed), (true, Outcome::Completed)] {
        let mut delivery = Delivery::new(0);
        delivery.resume(&Offer { command, ..offer(1, "x") }, None, UnixMillis(0));
        let mut agent = Agent::idle();
        let empty = PromptResult::new(Outcome::Completed, "", "status");
        let nothing = PromptResult { cause: Some(Cause::Empty), ..empty };
        let reports = agent.apply(&mut delivery, 900, Input::Ended(nothing));
        let ended = reports.iter().find_map(|report| match report {
            Report::Ended { result, .. } => Some(result.outcome),
            _ => None,
        });
        assert_eq!(ended, Some(outcome));
    }
}

#[test]
fn a_dialog_that_came_and_went_without_work_holds_the_prompt() {
    let mut delivery = Delivery::new(0);
    delivery.resume(&offer(1, "x"), None, UnixMillis(0));
    let doubtful = PromptResult { cause: Some(Cause::Unworked), ..completed() };
    let reports = Agent::idle().apply(&mut delivery, 900, Input::Ended(doubtful));
    assert!(
        matches!(reports.as_slice(), [Report::Held { hold, .. }] if hold.code == HoldCode::NotAccepted),
        "{reports:?}"
    );
}

#[test]
fn a_turn_that_is_over_before_its_enter_is_known_to_be_written_is_not_lost() {
    for written in [true, false] {
        let mut agent = Agent::idle();
        let mut delivery = Delivery::new(0);
        agent.apply(&mut delivery, 0, Input::Offer(offer(1, "x")));
        agent.apply(&mut delivery, 0, Input::Typed(true));
        agent.composer = Composer::Holds("x".into());
        for at in 0..100 {
            agent.apply(&mut delivery, at * 20, Input::Look);
            if agent.written.last().is_some_and(|w| w == b"\r") {
                break;
            }
        }
        agent.composer = Composer::Empty;
        assert_eq!(agent.apply(&mut delivery, 3_000, Input::Began), []);
        assert_eq!(agent.apply(&mut delivery, 3_000, Input::Ended(completed())), []);
        let reports = agent.apply(&mut delivery, 3_001, Input::Typed(written));
        let ended = reports.iter().any(|report| matches!(report, Report::Ended { .. }));
        assert_eq!(ended, written, "{reports:?}");
    }
}
