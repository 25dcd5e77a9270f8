//! The daemon's parts, apart from `main`, so that a test can run them in one process.

pub mod api;
pub mod db;
pub mod ops;
pub mod outside;
pub mod reconcile;
pub mod unseal;
pub mod view;

pub use api::Clock;

#[cfg(test)]
mod testing;
