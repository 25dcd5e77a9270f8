//! holmd

fn main() {}
