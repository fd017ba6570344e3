//! Rules to begin with, one file for each level of trust. Must not: be in force by themselves.

/// The examples: name and text.
pub fn examples() -> &'static [(&'static str, &'static str)] {
    &[
        ("high-level", include_str!("examples/high-level.toml")),
        ("manager", include_str!("examples/manager.toml")),
        ("worker", include_str!("examples/worker.toml")),
    ]
}
