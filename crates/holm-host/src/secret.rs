//! A secret in memory: it can be used, but not printed, compared by accident or serialised.

use zeroize::Zeroizing;

/// The clear value of a secret, overwritten when it is dropped.
///
/// There is no `Debug`, `Display` or `Serialize`: showing it is a decision of the one who calls
/// [`Secret::expose`].
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a value over. The caller's own copies are his to overwrite.
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The clear value.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
