//! To come: render/mod.
