//! The project's own tools, as a library so that the tests on real machines drive the same nodes.

#![allow(
    clippy::disallowed_methods,
    reason = "a build tool: it runs on the developer's machine, not in the product"
)]

pub mod bench;
pub mod cell;
pub mod deb;
pub mod demo;
pub mod images;
pub mod node;
pub mod phases;
pub mod registry;
pub mod setup;
pub mod sh;
pub mod store;
pub mod test;
pub mod tidy;
pub mod workspace;
