//! To come: decide/mod.
