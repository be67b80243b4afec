//! Who can open something: a set of listeners.
//!
//! Invariant: what Eve can open everybody can; the sets are made by owner of a key and only joined and cut.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

use model::outcome::Listener;

/// A set of listeners.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ears(u8);

impl Ears {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Everybody: what is readable without a key.
    pub const ALL: Self = Self(0b1_1111);

    /// One listener.
    pub const fn of(listener: Listener) -> Self {
        Self(match listener {
            Listener::Eve => 1,
            Listener::Trudy => 2,
            Listener::Mallory => 4,
            Listener::Harvest => 8,
            Listener::Parties => 16,
        })
    }

    /// Whether `listener` is one of them.
    pub const fn has(self, listener: Listener) -> bool {
        self.0 & Self::of(listener).0 != 0
    }

    /// Those of them who are not among `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether it is nobody.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Ears {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Ears {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Ears {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for Ears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Listener::ALL.iter().filter(|l| self.has(**l)).map(|l| l.word())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_every_listener() {
        let each = Listener::ALL.iter().fold(Ears::NONE, |ears, l| ears | Ears::of(*l));
        assert_eq!(each, Ears::ALL);
        assert!(!Ears::of(Listener::Eve).has(Listener::Trudy) && Ears::NONE.is_none());
        assert_eq!(format!("{:?}", Ears::of(Listener::Trudy)), "{\"trudy\"}");
    }
}
