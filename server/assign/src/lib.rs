//! What people write in files, as prompts: the readers of `assign`, as a library, so that they can be driven by whatever tries
//! them on hostile text.
//!
//! Owns: trees of TOML and YAML, the options of a prompt, tasks, times. Pure. Must not: read a file, know the server, be used by
//! another part of the product.

pub mod asked;
pub mod task;
pub mod time;
pub mod tree;
