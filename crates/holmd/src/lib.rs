//! The daemon's parts, apart from `main`, so that a test can run them in one process.

pub mod db;
pub mod ops;
pub mod view;

#[cfg(test)]
mod testing;
