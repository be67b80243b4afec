//! Mallory's deeds, one file each: what the file says at its head is the page of the attack.

use model::attack::Attack;
use model::plan::AttackPlan;

use super::{Attacker, Ends, Hand};

mod empty_packets;
mod flip_bits;
mod forge_policy;
mod half_sealed;
mod inject_rtp;
mod low_order_key;
mod reflect;
mod replay;
mod second_answer;
mod strip_intent;
mod substitute_fingerprint;
mod substitute_public_key;

/// The attack of a plan.
pub(super) fn of(plan: &AttackPlan) -> Box<dyn Attacker> {
    match plan.attack {
        Attack::EmptyPackets => Box::<empty_packets::EmptyPackets>::default(),
        Attack::FlipBits => Box::new(flip_bits::FlipBits),
        Attack::ForgePolicy => Box::new(forge_policy::ForgePolicy),
        Attack::HalfSealed => Box::<half_sealed::HalfSealed>::default(),
        Attack::InjectRtp => Box::<inject_rtp::InjectRtp>::default(),
        Attack::LowOrderKey => Box::<low_order_key::LowOrderKey>::default(),
        Attack::Reflect => Box::<reflect::Reflect>::default(),
        Attack::Replay => Box::<replay::Replay>::default(),
        Attack::SecondAnswer => Box::new(second_answer::SecondAnswer),
        Attack::StripIntent => Box::new(strip_intent::StripIntent),
        Attack::SubstituteFingerprint => Box::new(substitute_fingerprint::SubstituteFingerprint::of(plan)),
        Attack::SubstitutePublicKey => Box::<substitute_public_key::SubstitutePublicKey>::default(),
    }
}

const fn source(attack: Attack) -> &'static str {
    match attack {
        Attack::EmptyPackets => include_str!("attacks/empty_packets.rs"),
        Attack::FlipBits => include_str!("attacks/flip_bits.rs"),
        Attack::ForgePolicy => include_str!("attacks/forge_policy.rs"),
        Attack::HalfSealed => include_str!("attacks/half_sealed.rs"),
        Attack::InjectRtp => include_str!("attacks/inject_rtp.rs"),
        Attack::LowOrderKey => include_str!("attacks/low_order_key.rs"),
        Attack::Reflect => include_str!("attacks/reflect.rs"),
        Attack::Replay => include_str!("attacks/replay.rs"),
        Attack::SecondAnswer => include_str!("attacks/second_answer.rs"),
        Attack::StripIntent => include_str!("attacks/strip_intent.rs"),
        Attack::SubstituteFingerprint => include_str!("attacks/substitute_fingerprint.rs"),
        Attack::SubstitutePublicKey => include_str!("attacks/substitute_public_key.rs"),
    }
}

/// The page of an attack: the text at the head of its file.
pub fn page(attack: Attack) -> String {
    crate::head(source(attack))
}

/// The options that an attack has beside those that all attacks have.
pub const fn options(attack: Attack) -> &'static [&'static str] {
    match attack {
        Attack::SubstituteFingerprint => &[substitute_fingerprint::ANNOUNCE],
        Attack::ForgePolicy => &[forge_policy::VALUE],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attack_has_a_page() {
        for attack in Attack::ALL {
            assert!(page(*attack).lines().count() >= 3, "the page of {attack} is too short");
        }
    }
}
