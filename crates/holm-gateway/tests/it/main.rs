//! The whole gateway in one process, on loopback addresses, with a ruleset that records; and the real nft in
//! a network namespace of its own.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod boot;
mod control;
mod dns;
mod policy;
mod router;
mod upgrade;
mod world;
