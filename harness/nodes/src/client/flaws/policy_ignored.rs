//! Seals although a policy forbids it.
//!
//! The client looks at the stored preference alone, which may be on where the policy hides it.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn heeds_policy(&self) -> bool {
        false
    }
}
