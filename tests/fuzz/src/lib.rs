//! What several targets share: how their input tells of a session, how output is cut, what is compared.
//!
//! Invariant: the same bytes always mean the same, so that a crash can be tried again. Must not: call the product.

pub mod json;
pub mod same;
pub mod script;
pub mod stretch;
