//! holm-trust
