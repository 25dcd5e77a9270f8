//! Tests on real machines live in `tests/`; what they share is here.
