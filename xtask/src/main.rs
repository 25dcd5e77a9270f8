//! `cargo xtask <command>`: wiring only; each command lives in the file of its name.

fn main() {}
