//! What hostile text says: all that the rules of an agent's own profile look for, and what any program may print.

use std::path::Path;

use extractor::{Extractor, Seen};
use patterns::{Library, library};

use crate::case;
use crate::site;

/// One text.
#[derive(Debug, Clone)]
pub struct Spoof {
    /// The rule that it imitates, or a name.
    pub of: String,
    /// Its rows; escapes are escapes.
    pub rows: Vec<String>,
}

impl Spoof {
    /// Whether it may be a whole dialog: that is looked for at the bottom of the screen.
    pub fn asks(&self) -> bool {
        self.rows.len() > 1
    }
}

/// Recordings in which an agent asks, with the dialog's name.
const ASKED: &[(&str, &str)] = &[
    ("a permission of Claude Code", "claude/2.1.329/command_approved"),
    ("an edit of Claude Code", "claude/2.1.329/edit_approved"),
    ("a question of Claude Code", "claude/2.1.329/question"),
    ("a plan of Claude Code", "claude/2.1.329/plan"),
    ("the trust dialog of Claude Code", "claude/2.1.329/trust_dialog"),
    ("a permission of Codex", "codex/0.169.0/command_approved"),
    ("an edit of Codex", "codex/0.169.0/edit_approved"),
    ("the trust dialog of Codex", "codex/0.169.0/trust_dialog"),
    ("a permission of Gemini CLI", "gemini/0.61.0/command_approved"),
    ("an edit of Gemini CLI", "gemini/0.61.0/edit_approved"),
    ("a permission of Qwen Code", "qwen/0.15.10/command_approved"),
    ("a permission of Mistral Vibe", "vibe/3.0.2/command_approved"),
    ("a question of Mistral Vibe", "vibe/3.0.2/question"),
    ("a permission of Aider", "aider/0.86.2/command_as_text"),
];

/// Most rows of a dialog: there must be room for it.
const HIGHEST: usize = 20;

const LINE: &str = "────────────────────────────────────────";

/// What any program may print, row by row.
const GENERAL: &[(&str, &[&str])] = &[
    ("done", &["✅ complete"]),
    ("done", &["All tasks done."]),
    ("done", &["Task completed successfully. Waiting for your next prompt."]),
    ("prompt", &["$ "]),
    ("prompt", &["me@host:~/api$ "]),
    ("prompt", &[">>> "]),
    ("prompt", &["❯ "]),
    ("prompt", &["› "]),
    ("prompt", &["> "]),
    ("prompt with its modes", &["\x1b[?2004h$ "]),
    ("prompt with its modes", &["\x1b[?2004h> "]),
    ("prompt with its modes", &["\x1b[?2004h>>> "]),
    ("prompt with its modes", &["\x1b]133;D;0\x07\x1b]133;A\x07\x1b[?2004h$ \x1b]133;B\x07"]),
    ("composer", &[LINE, "❯ ", LINE, "  ? for shortcuts"]),
    ("composer", &[LINE, "> ", LINE, "  ? for shortcuts"]),
    ("composer", &["› Ask Codex to do anything", "", "  ? for shortcuts"]),
    ("mark", &["\x1b]133;A\x07"]),
    ("mark", &["\x1b]133;B\x07"]),
    ("mark", &["\x1b]133;C\x07"]),
    ("mark", &["\x1b]133;D;0\x07"]),
    ("mark", &["\x1b]133;D;1\x07"]),
    ("mark", &["\x1b]133;D;0\x07\x1b]133;A\x07$ \x1b]133;B\x07"]),
    ("notification", &["\x1b]9;Claude is waiting for your input\x07"]),
    ("notification", &["\x1b]777;notify;Codex;Task complete\x07"]),
    ("notification", &["\x1b]99;;done\x1b\\"]),
    ("progress", &["\x1b]9;4;0\x07"]),
    ("progress", &["\x1b]9;4;1;100\x07"]),
    ("status", &["\x1b]7501;state=done\x07"]),
    ("status", &["\x1b]7501;state=done:app=claude\x1b\\"]),
    ("status", &["\x1b]7501;state=idle\x07"]),
    ("status", &["\x1b]7501;state=blocked:kind=permission\x07"]),
    ("status", &["\x1b]7501;state=error\x07"]),
    ("title", &["\x1b]0;✳ Claude Code\x07"]),
    ("title", &["\x1b]2;◇  Ready (proj)\x07"]),
    ("title", &["\x1b]0;◐ Claude Code\x07"]),
    ("title", &["\x1b]2;[ ! ] Action Required | proj\x07"]),
    ("title", &["\x1b]0;proj\x07"]),
    ("question", &["Do you want to continue? [Y/n]"]),
    ("question", &["Overwrite? (y/n):"]),
    ("question", &["Are you sure you want to continue connecting (yes/no/[fingerprint])? "]),
    ("password", &["Password:"]),
    ("password", &["[sudo] password for anna: "]),
    (
        "menu",
        &[LINE, " Choose the text style", " ❯ 1. Dark", "   2. Light", " Enter to confirm · Esc to cancel"],
    ),
    (
        "menu",
        &[
            "  Meet the new model",
            "› 1. Try it",
            "  2. Keep the old one",
            "  Press enter to confirm or esc to go back",
        ],
    ),
    (
        "menu",
        &[
            "╭────────╮",
            "│ Do you trust this folder? │",
            "│ ● 1. Trust folder │",
            "│   2. Don't trust │",
            "╰────────╯",
        ],
    ),
    ("menu", &["╭────────╮", "│ Pick one │", "│ ● 1. Yes │", "│ (Use Enter to select) │", "╰────────╯"]),
    ("menu", &["> 1. Sign in with ChatGPT", "  2. Provide your own API key", "  Press enter to continue"]),
];

/// Everything that is tried on this agent.
pub fn all(agent: &str) -> Vec<Spoof> {
    let mut all = own(agent);
    let general = GENERAL.iter();
    all.extend(general.map(|(of, rows)| spoof(of, rows.iter().map(|row| (*row).to_owned()))));
    all.extend(ASKED.iter().map(|(of, folder)| spoof(of, asked(folder))));
    let mut told = Vec::new();
    all.retain(|spoof| {
        let new = !told.contains(&spoof.rows);
        told.push(spoof.rows.clone());
        new
    });
    all
}

fn spoof(of: &str, rows: impl IntoIterator<Item = String>) -> Spoof {
    Spoof { of: of.to_owned(), rows: rows.into_iter().collect() }
}

/// What the rules of its own profile look for, as they stand and without the sign that the agent itself puts in front:
/// it may put it there.
fn own(agent: &str) -> Vec<Spoof> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../patterns/agents/{agent}.toml"));
    let raw = library::parse_agent(agent, &std::fs::read_to_string(file).unwrap()).unwrap();
    let mut all = Vec::new();
    for rule in &raw.titles {
        all.extend(rule.matches.iter().map(|title| spoof(&rule.id, [format!("\x1b]0;{title}\x07")])));
        all.extend(rule.matches.iter().map(|title| spoof(&rule.id, [title.clone()])));
    }
    let screens = raw.screens.iter().map(|rule| (&rule.id, &rule.matches));
    let lines = raw.turn_ends.iter().chain(&raw.failures).chain(&raw.interruptions);
    let lines = lines.map(|rule| (&rule.id, &rule.matches));
    let dialogs = raw.dialogs.iter().map(|rule| (&rule.id, &rule.matches));
    for (id, matches) in screens.chain(lines).chain(dialogs) {
        for row in matches {
            let bare = row.trim_start_matches(|c: char| !c.is_alphanumeric() && !"[^(".contains(c));
            all.extend([row.as_str(), row.trim_start(), bare].map(|row| spoof(id, [row.to_owned()])));
        }
    }
    for rule in &raw.dialogs {
        for title in &rule.matches {
            let options = ["❯ 1. Yes, once", "› 1. Yes, once", "● 1. Yes, once", "  2. No (esc)"];
            let end = ["", " Esc to cancel · Tab to amend · Press enter to confirm or esc to cancel"];
            let rows = [LINE, title].into_iter().chain(options).chain(end).map(str::to_owned);
            all.push(spoof(&rule.id, rows));
        }
    }
    if let Some(rule) = &raw.composer {
        all.extend(rule.matches.iter().map(|row| spoof("its own composer", [row.clone()])));
    }
    all
}

/// The first dialog of a recording, as it stands on the screen.
fn asked(folder: &str) -> Vec<String> {
    let (case, _) = site::read(folder);
    let mut extractor = Extractor::new(Library::builtin().agent(&case.agent).unwrap(), case.cols, case.rows);
    let mut seen = Vec::new();
    for (at, record) in &case.records {
        let screen = extractor.screen_text();
        extractor.tick(*at, &mut seen);
        let dialog = seen.iter().find_map(|o| match &o.what {
            Seen::Dialog(Some(dialog)) => Some(dialog.clone()),
            _ => None,
        });
        if let Some(dialog) = dialog {
            let first = screen.iter().rposition(|row| row.contains(dialog.title.trim())).unwrap();
            let last = screen.iter().rposition(|row| !row.trim().is_empty()).unwrap();
            return screen[first.saturating_sub(1).max((last + 1).saturating_sub(HIGHEST))..=last].to_vec();
        }
        case::apply(&mut extractor, *at, record, &mut seen);
    }
    panic!("{folder} holds no dialog")
}
