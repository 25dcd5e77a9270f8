//! holm-host
