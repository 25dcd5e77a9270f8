//! The data plane in the anchor's network namespace: packet policy, router and resolver.
//!
//! It carries out one document ([`holm_core::gateway::GatewayConfig`]) and lives on when holmd is down: at
//! boot it loads the document that holmd left last. [`app::run`] is the whole program; what it cannot have in
//! a test (the kernel's policy) is behind [`ruleset::Ruleset`].

pub mod app;
pub mod apply;
pub mod backends;
pub mod control;
pub mod dns;
pub mod document;
pub mod markers;
pub mod router;
pub mod ruleset;
pub mod serve;
pub mod tables;
