//! What a picture promises.

use super::super::keys::{self, Key};
use super::super::sample::{approval, prompt, session, whole as present};
use super::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use wire::feed::ToViewer;
use wire::frame::{Frame, Kind};
use wire::prompt::{Hold, HoldCode, PromptState};
use wire::session::State;
use wire::{PromptId, SessionId, UnixMillis};

const PLAIN: Look = Look { colour: false };

fn board() -> Board {
    let mut board = Board { clock: UnixMillis(65_001), ..Board::default() };
    let mut busy = session("web", State::Busy);
    busy.prompt = Some(PromptId(2));
    let mut held = prompt(1, PromptState::Held);
    held.hold = Some(Hold { code: HoldCode::MissingBranch, text: "there is no branch dev".into() });
    let mut waiting = prompt(3, PromptState::Pending);
    waiting.asked.target = Some("web".into());
    waiting.asked.priority = 8;
    let prompts = vec![held, prompt(2, PromptState::InProgress), waiting];
    board.hear(present(vec![session("api", State::WaitingPermission), busy], prompts));
    board.hear(ToViewer::Approval { approval: approval(12, "api") });
    desk::settle(&mut board);
    board
}

fn tail(text: &str) -> Tail {
    let mut tail = Tail::new(SessionId("api".into()), 1);
    let mut frame = 1_u32.to_be_bytes().to_vec();
    Frame { kind: Kind::Snapshot, offset: 0, cols: 80, rows: 24, payload: text.as_bytes() }
        .encode(&mut frame);
    tail.take(&frame);
    tail
}

fn shown_with(board: &mut Board, tail: Option<&Tail>, (cols, rows): (u16, u16)) -> String {
    board.desk.size = (cols, rows);
    desk::settle(board);
    let mut terminal = Terminal::new(TestBackend::new(cols, rows)).unwrap();
    terminal
        .draw(|frame| {
            let _ = draw(board, tail, PLAIN, frame.area(), frame.buffer_mut());
        })
        .unwrap();
    let buf = terminal.backend().buffer();
    let row = |y| (0..cols).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..rows).map(row).collect::<Vec<_>>().join("\n")
}

fn shown(board: &mut Board, size: (u16, u16)) -> String {
    shown_with(board, None, size)
}

fn press(board: &mut Board, key: Key) {
    *board = keys::press(std::mem::take(board), key).0;
}

#[test]
fn all_of_it_is_on_a_usual_terminal() {
    let screen = shown_with(&mut board(), Some(&tail("$ cargo test\r\nok")), (80, 24));
    for text in [
        "muster  1 asks · 1 held · 1 busy",
        "─ Inbox 2 ─",
        "permission  1m   api",
        "permission: Run a command?",
        "rm -rf build",
        "> 1. Yes",
        "  2. No",
        "held        1m   #1",
        "missing_branch: there is no branch dev",
        "─ Sessions 2 ─",
        "api          permission screen   1m   any             u/project main",
        "web          busy       screen   1m   any      #2     u/project main",
        "─ Queue 3 ─",
        "#2     in_progress p5  1m",
        "─ Terminal of api, 80x24 ─",
        "$ cargo test",
        "? keys",
    ] {
        assert!(screen.contains(text), "{text:?} is missing in\n{screen}");
    }
}

#[test]
fn hints_are_whole_on_a_usual_terminal() {
    for keys in ["", "o", "z", "?"] {
        let mut board = board();
        keys.chars().for_each(|c| press(&mut board, Key::Char(c)));
        let screen = shown(&mut board, (80, 24));
        let hint = screen.lines().last().unwrap_or_default();
        assert!(!hint.is_empty() && !hint.contains('…'), "{hint}");
    }
}

#[test]
fn a_small_terminal_shows_one_pane_after_the_other() {
    let mut board = board();
    let inbox = shown(&mut board, (40, 10));
    assert!(inbox.contains("Inbox 2") && inbox.contains("rm -rf build"), "{inbox}");
    assert!(!inbox.contains("Sessions"), "{inbox}");
    press(&mut board, Key::Tab);
    let sessions = shown(&mut board, (40, 10));
    assert!(sessions.contains("Sessions 2") && sessions.contains("web          busy"), "{sessions}");
    press(&mut board, Key::Char('z'));
    let alone = shown_with(&mut board, Some(&tail("hello")), (40, 10));
    assert!(alone.contains("Terminal of api") && alone.contains("hello"), "{alone}");
}

#[test]
fn any_size_and_any_mode_can_be_drawn() {
    let tail = tail("x");
    for keys in ["", "g", "q", "o", "z", "?", ">some text that is longer than the terminal", "/a", "qjc"] {
        let mut board = board();
        keys.chars().for_each(|c| press(&mut board, Key::Char(c)));
        for cols in [1, 2, 19, 20, 40, 61, 200] {
            for rows in [1, 3, 4, 5, 10, 17, 18, 60] {
                shown_with(&mut board, Some(&tail), (cols, rows));
            }
        }
    }
}

#[test]
fn what_does_not_fit_says_where_the_rest_is() {
    let mut board = board();
    let mut long = approval(12, "api");
    long.dialog.body = (0..50).map(|n| format!("line {n}\n")).collect();
    board.hear(ToViewer::Approval { approval: long });
    assert!(shown(&mut board, (80, 24)).contains("more lines: o"));
    press(&mut board, Key::Char('o'));
    let whole = shown(&mut board, (80, 24));
    assert!(whole.contains("Request 12, lines 1 to 21 of 53") && whole.contains("line 19"), "{whole}");
    press(&mut board, Key::End);
    assert!(shown(&mut board, (80, 24)).contains("2. No"));
}

#[test]
fn all_keys_are_explained_on_any_terminal() {
    let mut board = board();
    press(&mut board, Key::Char('?'));
    let mut read = shown(&mut board, (40, 10));
    for _ in 0..40 {
        press(&mut board, Key::Down);
        read.push_str(&shown(&mut board, (40, 10)));
    }
    for text in ["next pane;", "queue", "leaves the inbox", "quit;", "go on"] {
        assert!(read.contains(text), "{text:?} is missing in\n{read}");
    }
    press(&mut board, Key::Up);
    press(&mut board, Key::Esc);
    assert!(shown(&mut board, (40, 10)).contains("Inbox"));
}

#[test]
fn a_lost_connection_is_said_with_its_age_and_what_was_known_stays() {
    let mut board = board();
    board.lost();
    board.clock = UnixMillis(77_001);
    let screen = shown(&mut board, (80, 24));
    assert!(screen.contains("disconnected since 12s, trying again"), "{screen}");
    assert!(screen.contains("rm -rf build"));
    board.joined();
    assert!(!shown(&mut board, (80, 24)).contains("disconnected"));
}

#[test]
fn a56_nothing_that_others_wrote_moves_a_cursor_or_reorders_a_row() {
    let mut board = board();
    let evil = "a\u{1b}[2J\r\n\u{202e}b\u{9b}31m\u{7}";
    let mut odd = session("odd", State::WaitingInput);
    (odd.name, odd.agent, odd.context.dir) = (evil.into(), evil.into(), evil.into());
    (odd.last_line, odd.title, odd.context.branch) = (evil.into(), evil.into(), Some(evil.into()));
    let mut bad = prompt(9, PromptState::Held);
    bad.asked.text = evil.into();
    bad.asked.target = Some(evil.into());
    bad.hold = Some(Hold { code: HoldCode::Person, text: evil.into() });
    let mut asked = approval(13, "odd");
    (asked.dialog.title, asked.dialog.body) = (evil.into(), evil.into());
    asked.dialog.options[0].label = evil.into();
    asked.opened = UnixMillis(0);
    board.hear(present(vec![odd], vec![bad]));
    board.hear(ToViewer::Approval { approval: asked });
    board.desk.fail(evil, board.clock);
    for keys in ["", "o", "gz", "qo", "jo"] {
        let mut board = board.clone();
        keys.chars().for_each(|c| press(&mut board, Key::Char(c)));
        let screen = shown_with(&mut board, Some(&tail(evil)), (100, 40));
        let hidden = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!screen.contains(hidden), "{keys}: {screen:?}");
    }
}

#[test]
fn the_line_that_is_written_shows_its_cursor() {
    let mut board = board();
    press(&mut board, Key::Char('>'));
    for c in "a long line that goes on and on beyond".chars() {
        press(&mut board, Key::Char(c));
    }
    board.desk.size = (30, 12);
    let mut terminal = Terminal::new(TestBackend::new(30, 12)).unwrap();
    let mut cursor = None;
    terminal.draw(|f| cursor = draw(&board, None, PLAIN, f.area(), f.buffer_mut())).unwrap();
    assert_eq!(cursor, Some(Position::new(29, 11)));
    let screen = shown(&mut board, (30, 12));
    assert!(screen.ends_with(">e that goes on and on beyond"), "{screen}");
    press(&mut board, Key::Home);
    assert!(shown(&mut board, (30, 12)).contains(">a long line"));
}

#[test]
fn without_colours_there_are_none() {
    let mut board = board();
    board.lost();
    let area = Rect::new(0, 0, 80, 24);
    let mut buf = Buffer::empty(area);
    draw(&board, Some(&tail("\x1b[31;44mred")), PLAIN, area, &mut buf);
    let plain =
        |cell: &ratatui::buffer::Cell| [cell.fg, cell.bg].iter().all(|c| *c == ratatui::style::Color::Reset);
    assert!(buf.content().iter().all(plain));
}

#[test]
fn rows_are_broken_between_words_and_never_too_wide() {
    assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    assert_eq!(wrap("", 4), [""]);
    assert_eq!(wrap("漢字漢字", 5), ["漢字", "漢字"]);
    assert_eq!((fit("漢字漢字", 5).as_str(), pad("é", 3).as_str()), ("漢字…", "é  "));
}
