//! decide/mod
