//! What can be wrong with a file of patterns.

/// An error in a file of patterns; it names the file and, where there is one, the rule.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not TOML or does not fit the schema.
    #[error("{file}: {cause}")]
    Schema {
        /// The file's name.
        file: String,
        /// What the parser said, with the line.
        cause: String,
    },
    /// A version range cannot be read.
    #[error("{file}: rule {rule}: version range `{range}`: expected for example `>=2.1.300` or `>=1, <2`")]
    Versions {
        /// The file's name.
        file: String,
        /// The rule's id.
        rule: String,
        /// The range as written.
        range: String,
    },
    /// Two rules have one id, or two agents one name or command.
    #[error("{file}: `{id}` is already taken")]
    Twice {
        /// The file's name.
        file: String,
        /// What stands twice.
        id: String,
    },
}
