//! A set of the variants of a small enum.

use std::marker::PhantomData;

/// An enum of at most eight variants.
pub(super) trait Flag: Copy {
    /// The number of the variant.
    fn index(self) -> u8;
}

/// Declares enums that can be kept in a [`FlagSet`].
macro_rules! flags {
    ($($(#[$meta:meta])* enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident,)+ })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl crate::domain::replies::understanding::flag_set::Flag for $name {
            fn index(self) -> u8 {
                self as u8
            }
        }
    )+};
}
pub(super) use flags;

#[derive(Debug, Clone, Copy)]
pub(super) struct FlagSet<F> {
    bits: u8,
    flags: PhantomData<F>,
}

impl<F> Default for FlagSet<F> {
    fn default() -> Self {
        FlagSet {
            bits: 0,
            flags: PhantomData,
        }
    }
}

impl<F: Flag> FlagSet<F> {
    pub(super) fn insert(&mut self, flag: F) {
        self.bits |= 1 << flag.index();
    }

    pub(super) fn replace(&mut self, old: F, new: F) {
        self.bits &= !(1 << old.index());
        self.insert(new);
    }

    pub(super) fn has(self, flag: F) -> bool {
        self.bits >> flag.index() & 1 == 1
    }

    pub(super) fn has_any(self, flags: &[F]) -> bool {
        flags.iter().any(|flag| self.has(*flag))
    }

    pub(super) fn is_empty(self) -> bool {
        self.bits == 0
    }
}
