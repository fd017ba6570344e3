//! The server of `assigner`, as a library: its cores are driven by tests of their own, beside those of the wrapper.
//!
//! Owns: control (`hub`, and the pure `job`, `route`, `session`), the feed, HTTP, the database. Must not: be used by
//! another part of the product.

pub mod alert;
mod auth;
pub mod cli;
pub mod client;
mod clock;
pub mod config;
pub mod configured;
pub mod detach;
pub mod fault;
pub mod feed;
pub mod http;
pub mod hub;
pub mod job;
mod keep;
pub mod metrics;
mod outbound;
pub mod policy;
pub mod pool;
mod post;
pub mod queue;
pub mod route;
#[cfg(test)]
mod sample;
pub mod serve;
pub mod session;
mod starter;
pub mod store;
pub mod suggest;
mod telegram;
pub mod token;
pub mod trace;
pub mod unit;
