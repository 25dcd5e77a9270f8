//! Bytes of a store in, [`Verified`] out, and no other way to make one.
//!
//! This first kind of store is a directory that the admin named at `holm init`: it is trusted because
//! the admin named it, and there is nothing to verify but that the bytes come from inside it. The seam
//! is [`open_package`] and [`index`]: signed stores (TUF) check targets and signatures behind the same
//! two functions, and whoever takes a `Verified` need not change.

mod beneath;
mod index;
mod package;
mod store;

pub use index::index;
pub use package::open_package;
pub use store::{StoreDir, TrustError};

/// A value whose origin was verified. Only this crate can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The value, to look at.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The value, without the word for it.
    pub fn into_inner(self) -> T {
        self.0
    }
}
