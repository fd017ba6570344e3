//! Where hostile text is shown: one recording of each agent, the moments at which it rests and works, and how it
//! draws what tools and models print.

use std::path::Path;
use std::time::Duration;

use extractor::{Extractor, Seen};
use patterns::{Library, Processes};
use serde_json::Value;

use crate::case::{self, Case};

/// A way in which an agent shows text.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its name.
    pub name: &'static str,
    /// What stands in front of the first row, and of the others.
    pub lead: (&'static str, &'static str),
    /// Whether the cursor stays behind the last row.
    pub open: bool,
}

/// How text comes to the screen.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// Over empty rows, the last this far above the composer: the agent draws by absolute positions.
    Over(usize),
    /// In new rows, the first this far above the composer: what is below moves down, as in an inline display.
    Push(usize),
    /// As it is, escapes included: the agent does not draw, programs share its terminal.
    Raw,
}

/// An agent and its recording.
#[derive(Debug)]
pub struct Site {
    /// Name in the list.
    pub name: &'static str,
    /// The recording's folder.
    pub folder: &'static str,
    /// How text comes to its screen.
    pub manner: Manner,
    /// Where.
    pub places: &'static [Place],
}

const fn place(name: &'static str, first: &'static str, rest: &'static str) -> Place {
    Place { name, lead: (first, rest), open: false }
}

const RAW: &[Place] = &[place("a line", "", ""), Place { open: true, ..place("an open line", "", "") }];

/// All sites.
pub const SITES: &[Site] = &[
    Site {
        name: "claude",
        folder: "claude/2.1.329/silence",
        manner: Manner::Over(5),
        places: &[place("prose", "● ", "  "), place("code", "  ", "  "), place("tool", "  ⎿  ", "     ")],
    },
    Site {
        name: "codex",
        folder: "codex/0.169.0/silence",
        manner: Manner::Over(5),
        places: &[place("prose", "• ", "  "), place("code", "  ", "  "), place("tool", "  └ ", "    ")],
    },
    Site {
        name: "gemini",
        folder: "gemini/0.61.0/short_answer",
        manner: Manner::Push(4),
        places: &[place("prose", "✦ ", "  "), place("code", "     ", "     "), place("tool", "│ ", "│ ")],
    },
    Site {
        name: "qwen",
        folder: "qwen/0.15.10/short_answer",
        manner: Manner::Push(2),
        places: &[
            place("prose", "  ✦ ", "    "),
            place("code", "     1 ", "     2 "),
            place("tool", "  │ ", "  │ "),
        ],
    },
    Site {
        name: "vibe",
        folder: "vibe/3.0.2/short_answer",
        manner: Manner::Over(4),
        places: &[place("prose", "  ", "  "), place("code", "  ", "  "), place("tool", "⏵ Ran ", "  ")],
    },
    Site { name: "aider", folder: "aider/0.86.2/short_answer", manner: Manner::Raw, places: RAW },
    Site { name: "ollama", folder: "ollama/0.1.0/silence", manner: Manner::Raw, places: RAW },
    Site { name: "shell", folder: "bash/5.2.15/shell_command", manner: Manner::Raw, places: RAW },
    Site {
        name: "shell with marks",
        folder: "bash-marked/5.2.15/shell_command",
        manner: Manner::Raw,
        places: RAW,
    },
];

/// A recording with the moments that matter.
pub struct Stage {
    /// It.
    pub case: Case,
    /// The middle of its longest rest before it works.
    pub idle: Duration,
    /// The middle of its longest stretch of work.
    pub busy: Duration,
    /// When that work was over.
    pub done: Duration,
}

/// The folder of a recording.
pub fn read(folder: &str) -> (Case, Vec<Value>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings").join(folder);
    let labels = std::fs::read_to_string(folder.join("session.labels.jsonl")).unwrap();
    (case::load(&folder), labels.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

impl Site {
    /// Reads the recording, up to where somebody asks the agent to exit.
    pub fn stage(&self) -> Stage {
        let (mut case, labels) = read(self.folder);
        let end = case.end;
        case.records.retain(|(at, _)| *at < end);
        let stretches = |state: &str| {
            let of = labels.iter().filter(|l| l["state"] == state);
            let mut all: Vec<_> =
                of.map(|l| (l["t0"].as_f64().unwrap(), l["t1"].as_f64().unwrap())).collect();
            all.sort_by(|a, b| (b.1 - b.0).total_cmp(&(a.1 - a.0)));
            all[0]
        };
        let (from, to) = stretches("busy");
        // The labels run ahead of the screen: what counts is work that has been seen.
        let from = from.max(began(&case).iter().copied().filter(|at| *at < to).fold(0.0, f64::max));
        let (rest, until) = stretches("idle");
        let middle = |from: f64, to: f64| Duration::from_secs_f64(f64::midpoint(from, to));
        let stage = Stage {
            case,
            idle: middle(rest, until),
            busy: middle(from, to),
            done: Duration::from_secs_f64(to),
        };
        assert!(stage.idle < stage.busy && from < to, "{}: {from} {to} {rest} {until}", self.name);
        stage
    }
}

impl Stage {
    /// Whether the process tree tells when the program works.
    pub fn jobs(&self) -> bool {
        Library::builtin().agent(&self.case.agent).unwrap().processes == Processes::Jobs
    }
}

fn began(case: &Case) -> Vec<f64> {
    let mut extractor = Extractor::new(Library::builtin().agent(&case.agent).unwrap(), case.cols, case.rows);
    let mut seen = Vec::new();
    for (at, record) in &case.records {
        case::apply(&mut extractor, *at, record, &mut seen);
    }
    let began = seen.iter().filter(|o| matches!(o.what, Seen::TurnBegan { .. }));
    began.map(|o| o.at.as_secs_f64()).collect()
}
