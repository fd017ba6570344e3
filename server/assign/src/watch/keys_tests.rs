//! What keys promise.

use super::super::desk::Tone;
use super::super::sample::{approval, prompt, session, whole};
use super::*;
use wire::UnixMillis;
use wire::feed::ToViewer;
use wire::prompt::{Hold, HoldCode};
use wire::session::State;

/// Two sessions, of which the first asks something.
fn board(prompts: Vec<Prompt>) -> Board {
    let mut board = Board { clock: UnixMillis(10_000), ..Board::default() };
    board.hear(whole(vec![session("api", State::WaitingPermission), session("web", State::Idle)], prompts));
    board.hear(ToViewer::Approval { approval: approval(12, "api") });
    rest(&mut board);
    board
}

/// Lets a picture be drawn, and time for it to be seen.
fn rest(board: &mut Board) {
    desk::settle(board);
    shown::look(board);
    board.clock = UnixMillis(board.clock.0 + 10_000);
}

/// Presses keys; gives the effects.
fn type_keys(board: &mut Board, keys: &str) -> Vec<Effect> {
    keys.chars().filter_map(|c| press_one(board, if c == '\n' { Key::Enter } else { Key::Char(c) })).collect()
}

fn press_one(board: &mut Board, key: Key) -> Option<Effect> {
    let (next, effect) = press(std::mem::take(board), key);
    *board = next;
    effect
}

fn said(board: &Board) -> (&str, Tone) {
    let notice = board.desk.notice.as_ref().expect("something is said");
    (&notice.text, notice.tone)
}

fn held(id: i64, code: HoldCode) -> Prompt {
    Prompt { hold: Some(Hold { code, text: "because".into() }), ..prompt(id, PromptState::Held) }
}

#[test]
fn an_answer_is_bound_to_the_dialog_that_was_shown() {
    for (key, choice) in [('a', Choice::Approve), ('d', Choice::Deny), ('2', Choice::Option { index: 1 })] {
        let mut board = board(Vec::new());
        let effects = type_keys(&mut board, &key.to_string());
        let expected = Effect::Answer { approval: ApprovalId(12), dialog: "dialog 12".into(), choice };
        assert_eq!(effects, [expected]);
    }
}

#[test]
fn what_does_not_fit_is_shown_whole_before_it_is_answered() {
    let mut board = board(Vec::new());
    let mut long = approval(12, "api");
    long.dialog.body = "rm -rf something\n".repeat(40);
    board.hear(ToViewer::Approval { approval: long });
    rest(&mut board);
    assert_eq!(type_keys(&mut board, "a"), []);
    assert!(matches!(board.desk.mode, Mode::Whole { .. }), "{:?}", board.desk.mode);
    rest(&mut board);
    assert_eq!(type_keys(&mut board, "a1d"), [], "its end was not on the screen");
    assert!(said(&board).0.contains("below"), "{:?}", said(&board));
    press_one(&mut board, Key::End);
    assert_eq!(type_keys(&mut board, "a"), [], "the end is not drawn yet");
    rest(&mut board);
    press_one(&mut board, Key::Home);
    rest(&mut board);
    assert!(matches!(type_keys(&mut board, "a")[..], [Effect::Answer { .. }]));
    assert_eq!(board.desk.mode, Mode::Browse);
}

#[test]
fn a_request_is_not_answered_from_where_it_is_not_shown() {
    let mut board = board(Vec::new());
    assert_eq!(type_keys(&mut board, "ga"), [], "it is opened");
    assert!(matches!(board.desk.mode, Mode::Whole { mark: Mark::Approval(ApprovalId(12)), .. }));
    assert_eq!(type_keys(&mut board, "a"), [], "it is not drawn yet");
    rest(&mut board);
    assert!(matches!(type_keys(&mut board, "a")[..], [Effect::Answer { .. }]));
    let mut board = self::board(Vec::new());
    assert_eq!(type_keys(&mut board, "zad1rce"), [], "nothing is answered beside a terminal");
}

#[test]
fn the_page_of_a_session_answers_nothing_that_it_does_not_show() {
    let mut board = Board { clock: UnixMillis(10_000), ..Board::default() };
    board.hear(whole(vec![session("api", State::WaitingPermission)], Vec::new()));
    rest(&mut board);
    press_one(&mut board, Key::Enter);
    assert!(matches!(board.desk.mode, Mode::Whole { mark: Mark::Session(_), .. }), "{:?}", board.desk.mode);
    board.hear(ToViewer::Approval { approval: approval(12, "api") });
    rest(&mut board);
    assert_eq!(type_keys(&mut board, "a"), [], "the request is shown first");
    rest(&mut board);
    assert!(matches!(type_keys(&mut board, "a")[..], [Effect::Answer { approval: ApprovalId(12), .. }]));
}

#[test]
fn what_a_request_has_come_to_ask_is_answered_only_once_it_was_seen() {
    for keys in ["", "o"] {
        let mut board = board(Vec::new());
        type_keys(&mut board, keys);
        rest(&mut board);
        let mut other = approval(12, "api");
        (other.dialog.id, other.dialog.body) = ("dialog 13".into(), "rm -rf /".into());
        board.hear(ToViewer::Approval { approval: other });
        assert_eq!(type_keys(&mut board, "a"), [], "it was not drawn");
        desk::settle(&mut board);
        shown::look(&mut board);
        assert_eq!(type_keys(&mut board, "a"), [], "nobody has read it yet");
        rest(&mut board);
        let effects = type_keys(&mut board, "a");
        assert!(
            matches!(&effects[..], [Effect::Answer { dialog, .. }] if dialog == "dialog 13"),
            "{effects:?}"
        );
    }
}

#[test]
fn nothing_is_answered_right_after_the_list_moved_by_itself() {
    let mut board = board(Vec::new());
    board.hear(ToViewer::Approval { approval: approval(13, "web") });
    desk::settle(&mut board);
    let mut over = approval(12, "api");
    over.state = ApprovalState::Approved;
    board.hear(ToViewer::Approval { approval: over });
    assert_eq!(type_keys(&mut board, "a"), []);
    assert_eq!(said(&board).1, Tone::Failed);
    rest(&mut board);
    assert!(matches!(type_keys(&mut board, "a")[..], [Effect::Answer { approval: ApprovalId(13), .. }]));
}

#[test]
fn what_cannot_be_answered_says_why() {
    let mut board = board(Vec::new());
    assert_eq!(type_keys(&mut board, "9"), []);
    assert_eq!(said(&board), ("there is no such option", Tone::Failed));
    let mut odd = approval(12, "api");
    odd.dialog.answerable = false;
    board.hear(ToViewer::Approval { approval: odd.clone() });
    rest(&mut board);
    assert_eq!(type_keys(&mut board, "a"), []);
    assert!(said(&board).0.contains("choose by its number"));
    odd.state = ApprovalState::Answering;
    board.hear(ToViewer::Approval { approval: odd });
    assert_eq!(type_keys(&mut board, "1"), []);
    assert!(said(&board).0.contains("on its way"));
    board.hear(whole(vec![session("api", State::WaitingInput)], Vec::new()));
    desk::settle(&mut board);
    assert_eq!(type_keys(&mut board, "a"), []);
    assert!(said(&board).0.contains("wrap attach"));
}

#[test]
fn what_destroys_is_asked_for_twice() {
    let mut board = board(vec![prompt(1, PromptState::InProgress)]);
    assert_eq!(type_keys(&mut board, "qc"), []);
    assert!(matches!(&board.desk.mode, Mode::Sure { question, .. } if question.contains("worked on")));
    assert_eq!(type_keys(&mut board, "n"), []);
    assert_eq!(type_keys(&mut board, "c\n"), [], "only a yes is a yes");
    assert_eq!(type_keys(&mut board, "cy"), [Effect::Cancel(PromptId(1))]);
}

#[test]
fn what_may_have_been_typed_is_tried_again_only_after_a_yes() {
    let mut board = board(vec![held(1, HoldCode::Unknown)]);
    assert_eq!(type_keys(&mut board, "qr"), []);
    assert_eq!(type_keys(&mut board, "y"), [Effect::Retry(PromptId(1))]);
    let mut board = self::board(vec![held(1, HoldCode::MissingBranch)]);
    assert_eq!(type_keys(&mut board, "qr"), [Effect::Retry(PromptId(1))]);
    let mut board = self::board(vec![prompt(1, PromptState::Pending)]);
    assert_eq!(type_keys(&mut board, "qr"), []);
}

#[test]
fn note_is_taken_of_what_has_ended() {
    let mut board = board(vec![prompt(1, PromptState::Completed)]);
    assert_eq!(type_keys(&mut board, "je"), [Effect::Seen(PromptId(1))]);
    let mut board = self::board(vec![prompt(1, PromptState::Pending)]);
    assert_eq!(type_keys(&mut board, "qe"), []);
}

#[test]
fn a_prompt_is_written_and_sent() {
    let mut board = board(Vec::new());
    let effects = type_keys(&mut board, ">7: fix it\n");
    let [Effect::Send { line, key: None, prompt }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((line.as_str(), prompt.text.as_str(), prompt.priority), ("7: fix it", "fix it", 7));
    assert_eq!(board.desk.past.iter().map(|sent| sent.text.as_str()).collect::<Vec<_>>(), ["7: fix it"]);
    let effects = type_keys(&mut board, "gj@fix it\n");
    let [Effect::Send { prompt, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((prompt.target.as_deref(), prompt.text.as_str()), (Some("web"), "fix it"));
}

#[test]
fn a_line_that_cannot_be_meant_stays_to_be_mended() {
    let mut board = board(Vec::new());
    assert_eq!(type_keys(&mut board, ">11: fix it\n"), []);
    assert_eq!(said(&board).1, Tone::Failed);
    assert!(matches!(&board.desk.mode, Mode::Line(line) if line.text == "11: fix it"));
    press_one(&mut board, Key::Esc);
    assert_eq!(board.desk.mode, Mode::Browse);
}

#[test]
fn what_is_pasted_beside_a_line_presses_no_key() {
    let mut board = board(Vec::new());
    assert_eq!(press_one(&mut board, Key::Paste("aQ\ny".into())), None);
    assert_eq!(board.desk.mode, Mode::Browse);
    type_keys(&mut board, ">");
    press_one(&mut board, Key::Paste(" fix\nit".into()));
    let Some(Effect::Send { prompt, .. }) = press_one(&mut board, Key::Enter) else { panic!("not sent") };
    assert_eq!(prompt.text, "fix\nit");
}

#[test]
fn keys_go_to_panes_and_to_whole_items_and_back() {
    let mut board = board(vec![prompt(1, PromptState::Pending)]);
    for (keys, pane) in [("g", Pane::Sessions), ("q", Pane::Queue), ("i", Pane::Inbox)] {
        type_keys(&mut board, keys);
        assert_eq!(board.desk.pane, pane);
    }
    press_one(&mut board, Key::Tab);
    assert_eq!(board.desk.pane, Pane::Sessions);
    press_one(&mut board, Key::BackTab);
    press_one(&mut board, Key::BackTab);
    assert_eq!(board.desk.pane, Pane::Queue);
    type_keys(&mut board, "o");
    assert_eq!(board.desk.mode, Mode::Whole { mark: Mark::Prompt(PromptId(1)), scroll: 0 });
    press_one(&mut board, Key::Esc);
    type_keys(&mut board, "g\n");
    assert_eq!(board.desk.mode, Mode::Tail { up: 0, right: 0 });
    type_keys(&mut board, "kl");
    assert_eq!(board.desk.mode, Mode::Tail { up: 1, right: 8 });
    type_keys(&mut board, "z?");
    assert_eq!(board.desk.mode, Mode::Help { scroll: 0 });
}

#[test]
fn what_is_shown_whole_stays_when_its_list_moves() {
    let mut board = board(vec![held(1, HoldCode::MissingBranch), held(2, HoldCode::MissingBranch)]);
    type_keys(&mut board, "qo");
    board.hear(ToViewer::PromptGone { prompt: PromptId(1) });
    desk::settle(&mut board);
    assert_eq!(type_keys(&mut board, "r"), [], "it is not the next one that is tried again");
}

#[test]
fn a_filter_is_applied_as_it_is_written_and_taken_away() {
    let mut board = board(Vec::new());
    type_keys(&mut board, "/web\n");
    assert_eq!(board.listed().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["web"]);
    press_one(&mut board, Key::Esc);
    assert_eq!(board.listed().len(), 2);
}

#[test]
fn every_way_out_is_a_way_out() {
    for key in [Key::Char('Q'), Key::Ctrl('c'), Key::Ctrl('d')] {
        for keys in ["", "o", "z", "?", "gq"] {
            let mut board = board(Vec::new());
            type_keys(&mut board, keys);
            assert_eq!(press_one(&mut board, key.clone()), Some(Effect::Quit), "{keys} {key:?}");
        }
    }
    let mut board = board(Vec::new());
    type_keys(&mut board, ">x");
    assert_eq!(press_one(&mut board, Key::Ctrl('c')), None, "first the line");
    assert_eq!(press_one(&mut board, Key::Ctrl('c')), Some(Effect::Quit));
    assert_eq!(press_one(&mut board, Key::Ctrl('z')), Some(Effect::Suspend));
    assert_eq!(type_keys(&mut board, "P"), [Effect::Pause(true)]);
}

proptest::proptest! {
    #[test]
    fn no_keys_make_it_fail(keys in proptest::collection::vec(proptest::sample::select(KEYS), 0..60)) {
        let mut board = board(vec![prompt(1, PromptState::InProgress), held(2, HoldCode::Unknown)]);
        for key in keys {
            press_one(&mut board, key);
        }
    }
}

const KEYS: &[Key] = &[
    Key::Char('j'),
    Key::Char('k'),
    Key::Char('a'),
    Key::Char('2'),
    Key::Char('c'),
    Key::Char('y'),
    Key::Char('o'),
    Key::Char('z'),
    Key::Char('?'),
    Key::Char('/'),
    Key::Char('>'),
    Key::Char('é'),
    Key::Ctrl('w'),
    Key::Backspace,
    Key::Delete,
    Key::Left,
    Key::Right,
    Key::Up,
    Key::Home,
    Key::End,
    Key::PageUp,
    Key::PageDown,
    Key::Tab,
    Key::Enter,
    Key::Esc,
];

#[test]
fn marked_prompts_are_acted_on_together_after_a_yes_that_names_them() {
    let done = |id| prompt(id, PromptState::Completed);
    let mut board = board(vec![prompt(1, PromptState::Pending), prompt(2, PromptState::InProgress), done(3)]);
    board.desk.pane = Pane::Queue;
    desk::settle(&mut board);
    assert!(type_keys(&mut board, "xxx").is_empty());
    assert_eq!(board.desk.marked.len(), 3);
    assert!(type_keys(&mut board, "c").is_empty(), "not without a yes");
    let Mode::Sure { question, .. } = &board.desk.mode else { panic!("nothing is asked") };
    assert_eq!(question, "Cancel 2 prompts, #1, #2 (1 worked on)?");
    assert!(type_keys(&mut board, "n").is_empty());
    assert_eq!(board.desk.marked.len(), 3, "a no leaves them marked");
    let effects = type_keys(&mut board, "cy");
    assert_eq!(effects, [Effect::Several { deed: Deed::Cancel, ids: vec![PromptId(1), PromptId(2)] }]);
    assert!(board.desk.marked.is_empty());
    assert_eq!(type_keys(&mut board, "e").len() + usize::from(board.desk.notice.is_some()), 1, "one again");
}

#[test]
fn what_agents_ask_is_never_answered_together_and_escape_forgets_the_marks() {
    let mut board = board(vec![prompt(1, PromptState::Failed)]);
    assert_eq!(board.desk.chosen(), Some(&Mark::Approval(ApprovalId(12))));
    type_keys(&mut board, "x");
    assert_eq!(said(&board), ("what agents ask is answered one by one; prompts can be marked", Tone::Failed));
    board.desk.pane = Pane::Queue;
    desk::settle(&mut board);
    type_keys(&mut board, "x");
    assert_eq!(board.desk.marked.len(), 1);
    board.desk.filter = "task".into();
    press_one(&mut board, Key::Esc);
    assert!(board.desk.marked.is_empty() && board.desk.filter == "task", "the last thing first");
    press_one(&mut board, Key::Esc);
    assert!(board.desk.filter.is_empty());
}

#[test]
fn a_prompt_that_is_shown_whole_is_meant_alone_whatever_is_marked() {
    let mut board = board(vec![prompt(1, PromptState::Failed), prompt(2, PromptState::Failed)]);
    board.desk.pane = Pane::Queue;
    desk::settle(&mut board);
    type_keys(&mut board, "xo");
    rest(&mut board);
    assert!(matches!(&type_keys(&mut board, "r")[..], [Effect::Retry(_)]));
}
