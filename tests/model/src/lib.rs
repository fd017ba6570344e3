//! The real cores of server and wrapper in one process, with simulated agents, time and faults.
//!
//! Real: the control loop with its database, the router, the observer's core with extractor, delivery and journal, all
//! their files. Simulated: the agents and what the holder does (it writes, or refuses when anything happened), the
//! connections, the clock. Must not: decide anything that the product decides.

#![allow(clippy::unwrap_used)]

mod agent;
pub mod random;
mod rig;
mod world;

pub use world::{Fault, Op, World};
