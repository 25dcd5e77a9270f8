//! What Holm decides, as pure functions over values: no file, socket, clock, environment or async.
//!
//! The four nouns are [`intent`] (what people asked), [`target`] (everything decided), [`observed`]
//! (what was seen) and [`plan`] (the steps from seen to decided). Manifests become the one typed
//! [`model`]; [`render`] turns a target into text.

pub mod decide;
pub mod diff;
#[cfg(test)]
pub(crate) mod fixture;
pub mod gateway;
pub mod intent;
pub mod manifest;
pub mod model;
pub mod name;
pub mod observed;
pub mod plan;
pub mod render;
pub mod target;
pub mod wire;
