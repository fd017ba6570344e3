//! Stand-ins for tests and demo.
//!
//! Owns: the scripts (what is answered to which prompt), a model server that speaks the interfaces of real agents, a
//! scripted agent for speed and faults, a stand-in for `ollama`, and throw-away homes in which real agents run without an account.
//! Must not: be reachable from the product, or leave loopback.

pub mod agent;
pub mod home;
pub mod model;
pub mod ollama;
pub mod script;
pub mod setup;
