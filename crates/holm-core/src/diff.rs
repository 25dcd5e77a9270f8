//! To come: diff.
