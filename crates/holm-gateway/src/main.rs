//! holm-gateway

fn main() {}
