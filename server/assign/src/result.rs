//! What came of a prompt, beside its answer, for people. Must not: print.

use wire::prompt::{Changes, Phases, PromptResult, Summary, Verification};
use wire::text::{counted, escape, escape_lines};

/// Files that are named.
const FILES: usize = 20;

/// Lines about a result: verification, changes, work tree, figures, where the time went.
pub fn facts(result: &PromptResult) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(cause) = result.cause {
        let until =
            result.until.as_ref().map(|until| format!(", until {}", escape(until))).unwrap_or_default();
        out.push(format!("cause: {cause}{until}"));
    }
    out.extend(result.verification.iter().flat_map(verification));
    out.extend(result.changes.iter().flat_map(changes));
    if let Some(tree) = &result.worktree {
        let kept = if tree.kept { "kept" } else { "removed" };
        out.push(format!("work tree: {} (branch {}, {kept})", escape(&tree.path), escape(&tree.branch)));
    }
    out.extend(result.summary.iter().flat_map(summary));
    out
}

fn verification(verification: &Verification) -> Vec<String> {
    let command = escape(&verification.command);
    let status = match verification.status {
        Some(status) => format!("ended with {status}"),
        None => "was ended, as it took too long".to_owned(),
    };
    let mut out =
        vec![format!("verification: `{command}` {status} after {}", seconds(verification.duration_ms))];
    if verification.status != Some(0) && !verification.output.is_empty() {
        out.extend(escape_lines(&verification.output).lines().map(|line| format!("  {line}")));
    }
    out
}

fn changes(changes: &Changes) -> Vec<String> {
    let files = counted(changes.files.len(), "file");
    let mut out = vec![format!("changed since {}: {files}", escape(&changes.base))];
    let named = changes.files.iter().take(FILES);
    out.extend(named.map(|file| format!("  {} {}", escape(&file.status), escape(&file.path))));
    if changes.files.len() > FILES || changes.cut {
        out.push("  and more; --json has them".to_owned());
    }
    if !changes.diff.is_empty() {
        out.push(String::new());
        out.push(escape_lines(changes.diff.trim_end()));
    }
    out
}

fn summary(summary: &Summary) -> Vec<String> {
    let mut out = Vec::new();
    if !summary.files.is_empty() {
        let named: Vec<String> = summary.files.iter().take(FILES).map(|file| escape(file)).collect();
        out.push(format!("edited: {}", named.join(", ")));
    }
    if summary.tests_passed + summary.tests_failed > 0 {
        out.push(format!("tests: {} passed, {} failed", summary.tests_passed, summary.tests_failed));
    }
    if summary.errors > 0 {
        let last =
            summary.last_error.as_deref().map(|e| format!(", the last: {}", escape(e))).unwrap_or_default();
        out.push(format!("errors: {}{last}", summary.errors));
    }
    let figures = [("in", summary.tokens_in), ("out", summary.tokens_out)];
    let tokens: Vec<String> =
        figures.iter().filter_map(|(what, n)| n.map(|n| format!("{n:.0} {what}"))).collect();
    if !tokens.is_empty() {
        let models: Vec<String> = summary.models.iter().map(|used| escape(&used.model)).collect();
        let by = if models.is_empty() { String::new() } else { format!(" ({})", models.join(", ")) };
        out.push(format!("tokens: {}{by}", tokens.join(", ")));
    }
    out.extend(summary.cost_usd.map(|cost| format!("cost: {cost:.4} US dollars")));
    out.push(phases(&summary.phases));
    out
}

fn phases(phases: &Phases) -> String {
    let mut out = format!(
        "time: waited {}, delivered in {}, ran {}",
        seconds(phases.waiting),
        seconds(phases.delivery),
        seconds(phases.running)
    );
    if phases.verification > 0 {
        out.push_str(&format!(", verified in {}", seconds(phases.verification)));
    }
    out
}

fn seconds(ms: u64) -> String {
    format!("{}.{}s", ms / 1000, ms % 1000 / 100)
}
