//! The files that are part of the program. Must not: be read from disk.

/// Agents: file name and text.
pub const AGENTS: &[(&str, &str)] = &[
    ("any.toml", include_str!("../agents/any.toml")),
    ("shell.toml", include_str!("../agents/shell.toml")),
    ("claude.toml", include_str!("../agents/claude.toml")),
    ("codex.toml", include_str!("../agents/codex.toml")),
    ("gemini.toml", include_str!("../agents/gemini.toml")),
    ("qwen.toml", include_str!("../agents/qwen.toml")),
    ("ollama.toml", include_str!("../agents/ollama.toml")),
    ("aider.toml", include_str!("../agents/aider.toml")),
    ("opencode.toml", include_str!("../agents/opencode.toml")),
    ("scripted.toml", include_str!("../agents/scripted.toml")),
];

/// Sets of event rules: file name and text.
pub const SETS: &[(&str, &str)] = &[
    ("errors.toml", include_str!("../sets/errors.toml")),
    ("tests.toml", include_str!("../sets/tests.toml")),
    ("builds.toml", include_str!("../sets/builds.toml")),
    ("files.toml", include_str!("../sets/files.toml")),
    ("code.toml", include_str!("../sets/code.toml")),
    ("metrics.toml", include_str!("../sets/metrics.toml")),
    ("git.toml", include_str!("../sets/git.toml")),
    ("urls.toml", include_str!("../sets/urls.toml")),
    ("permissions.toml", include_str!("../sets/permissions.toml")),
];

/// The profile of a program that is not known.
pub const UNKNOWN: &str = "any";
