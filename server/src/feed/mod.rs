//! The feed: what viewers see, and the terminals they watch.
//!
//! Owns: the queues between the server's parts, and what happens when one is full. Must not: touch the database.
//!
//! | from → to | carries | bound | when full |
//! |---|---|---|---|
//! | any task → control loop | commands | [`crate::hub::BOUND`] | the sender waits: its own peer is slowed |
//! | control loop → wrapper | control messages | [`Line::BOUND`](crate::hub::Line::BOUND) | the connection is closed; the wrapper resumes from the last ack |
//! | control loop → viewer | feed messages | [`Outlet::CONTROL`] besides a card for each session, [`Outlet::CONTROL_BYTES`] | they are dropped; `Everything` is sent once the queue was read |
//! | terminals → viewer | terminal frames | [`Outlet::TERMINAL`] frames, [`Outlet::BYTES`] bytes | they are dropped; a new snapshot is asked for once the queue was read |
//!
//! Control and terminal bytes never share a queue: a flood of output delays no state.

mod outlet;
mod terminals;

pub use outlet::{About, Inlet, Outlet};
pub use terminals::Terminals;
