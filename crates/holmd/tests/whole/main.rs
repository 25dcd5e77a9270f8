//! The whole daemon but its socket: real operations, the real state and the real loop, on a machine in memory and
//! under a clock that a test moves.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod cell;
mod crashes;
mod faults;
mod journey;
mod neighbours;
mod packages;
mod port;
mod random;
