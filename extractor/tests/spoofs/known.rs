//! Cases that do change something: why the stream alone cannot tell, and what saves the user.

use std::collections::BTreeSet;

use crate::Tried;

/// Cases of one kind.
#[derive(Debug)]
pub struct Known {
    /// The sites, separated by commas.
    sites: &'static str,
    /// While it rests, not while it works.
    rests: bool,
    /// Where it is printed; empty for everywhere.
    place: &'static str,
    /// What it imitates.
    of: &'static [&'static str],
    /// Whether it changes something in a live session as well, where the process tree tells that a job has the terminal.
    live: bool,
    /// Why, and what saves the user.
    why: &'static str,
}

const WORKS: Known = Known { sites: "", rests: false, place: "", of: &[], live: false, why: "" };

const KNOWN: &[Known] = &[
    Known {
        sites: "claude",
        of: &["claude.failure.api", "claude.interruption.esc", "claude.screen.retrying"],
        why: "The last thing of the turn, in the answer or in a tool's output, is the agent's own notice, letter by letter, and no word follows it. A completed turn is taken for a failed or interrupted one, never the reverse: somebody looks at it.",
        ..WORKS
    },
    Known {
        sites: "vibe",
        of: &["vibe.failure.api", "vibe.interruption.esc"],
        why: "What Mistral Vibe says has no sign in front, so the last words of an answer can be its own notice, letter by letter. A completed turn is taken for a failed or interrupted one, never the reverse.",
        ..WORKS
    },
    Known {
        sites: "aider",
        of: &["aider.failure.api", "aider.interruption.ctrl_c"],
        why: "Aider prints its errors, its model's words and its commands' output as plain lines: who wrote a line is not told. A completed turn is taken for a failed or interrupted one, never the reverse.",
        ..WORKS
    },
    Known {
        sites: "aider",
        of: &["aider.dialog.confirm", "a permission of Aider"],
        why: "A command that Aider runs has the terminal and may really ask so. The turn goes on; the question is answered by a person who sees it, by its id, and never by Muster.",
        ..WORKS
    },
    Known {
        sites: "aider",
        of: &["prompt with its modes"],
        why: "A command that Aider runs has the terminal: one that draws the prompt and switches bracketed paste on cannot be told from Aider. The turn is told as completed too early; what is pasted next is sent with Enter only once it is seen at the prompt, and `--verify` judges by a command of the user's.",
        ..WORKS
    },
    Known {
        sites: "ollama",
        of: &["ollama.failure.error"],
        why: "The model's words and the program's errors are plain lines alike, and an error may well follow half an answer. A completed turn is taken for a failed one, never the reverse.",
        ..WORKS
    },
    Known {
        sites: "ollama",
        of: &["its own composer", "prompt with its modes"],
        why: "The model's words are printed as they come: an answer that stops behind `>>> ` for as long as a prompt stands looks like one. The turn is told as completed too early; what is pasted next is sent with Enter only once it is seen at the prompt.",
        ..WORKS
    },
    Known {
        sites: "shell",
        of: &["mark"],
        why: "A job sends a mark that no later mark of the prompt's takes back: a turn is taken for failed, or to go on. No turn is completed by it. The process tree tells that a job has the terminal: in a live session nothing changes.",
        ..WORKS
    },
    Known {
        sites: "shell,shell with marks",
        rests: true,
        of: &["mark"],
        why: "The same from a job in the background: work is shown where there is none, or a failure, until the next mark of the prompt's. Nothing is typed; no turn is completed by it.",
        ..WORKS
    },
    Known {
        sites: "shell,shell with marks",
        of: &["prompt with its modes"],
        why: "A job draws the whole prompt with its marks and modes. The process tree tells that a job has the terminal: in a live session nothing changes.",
        ..WORKS
    },
    Known {
        sites: "shell,shell with marks",
        of: &["shell.dialog.password", "shell.dialog.yes_no", "question", "password"],
        live: true,
        why: "A job that stops behind such words does ask, as far as anybody can see. The turn goes on; a person answers, by the question's id, and never Muster.",
        ..WORKS
    },
];

/// The entry for a case.
pub fn find(site: &str, case: &Tried, rests: bool) -> Option<usize> {
    KNOWN.iter().position(|known| {
        known.sites.split(',').any(|name| name == site)
            && known.rests == rests
            && (known.place.is_empty() || known.place == case.place.name)
            && known.of.contains(&case.spoof.of.as_str())
    })
}

/// Whether what a case changes in a live session is what its entry says.
pub fn holds(entry: usize, live: &str, rests: bool) -> bool {
    rests || live.is_empty() || KNOWN[entry].live
}

/// Entries that no case needs, or none in a live session. `found` holds those that one does, and whether it does there.
pub fn stale(found: &BTreeSet<(usize, bool)>) -> Vec<&'static Known> {
    let needed = |at: usize| found.contains(&(at, true)) || (!KNOWN[at].live && found.contains(&(at, false)));
    (0..KNOWN.len()).filter(|at| !needed(*at)).map(|at| &KNOWN[at]).collect()
}

/// Why a case changes something.
pub fn why(entry: usize) -> &'static str {
    KNOWN[entry].why
}
