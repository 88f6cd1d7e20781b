//! What nobody may see: a token, a key, a passphrase. It is wiped from memory when it is dropped,
//! and there is no way to show, log or serialize it by accident.

use zeroize::Zeroizing;

/// A secret text. It has no `Debug`, `Display`, `Clone` or `Serialize`, so whatever holds one has
/// none by accident either.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text over; no copy of it is left.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the one place that has to use it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Checked by the compiler: a type that has the trait after all could be either of the two, and the
/// program would not compile.
macro_rules! never {
    ($type:ty: $($trait:path),+) => {
        $(const _: fn() = || {
            trait Either<A> {
                fn which() {}
            }
            impl<T: ?Sized> Either<()> for T {}
            struct HasIt;
            impl<T: ?Sized + $trait> Either<HasIt> for T {}
            let _ = <$type as Either<_>>::which;
        };)+
    };
}
never!(Secret: std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_only_to_who_asks() {
        let secret = Secret::new("swordfish".to_owned());
        assert_eq!(secret.expose(), "swordfish");
        assert!(!secret.is_empty());
        assert!(Secret::new(String::new()).is_empty());
    }
}
