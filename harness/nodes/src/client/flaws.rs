//! Deliberate faults of a client, one file each: what the file says at its head is the page of the flaw.
//!
//! Invariant: an honest client deviates nowhere, and each flaw deviates only where its file says.

use model::flaw::Flaw;
use model::{Kind, Role};

mod empty_payload_ends_call;
mod fixed_key;
mod key_from_call_id;
mod key_in_signalling;
mod lock_after_one_opt_in;
mod media_before_handshake;
mod no_fingerprint_check;
mod no_sealing;
mod nonce_restarts;
mod plays_noise;
mod plays_unsealed;
mod policy_ignored;
mod recording_when_sealed;
mod replay_accepted;
mod sealing_never_starts;
mod sealing_starts_late;
mod unsealed_one_in_twenty;
mod unsealed_video;

/// Where a client can deviate from what it should do; an honest one answers as these do.
pub(super) trait Deviation: Send + Sync {
    /// Whether frame `n` of a kind leaves a sealed call without a seal.
    fn leaves_open(&self, _kind: Kind, _n: u32) -> bool {
        false
    }

    /// Whether a frame without a seal is played in a sealed call.
    fn plays_open(&self, _kind: Kind) -> bool {
        false
    }

    /// Whether a frame that is sealed is played as it arrived.
    fn plays_sealed(&self) -> bool {
        false
    }

    /// Whether a packet without payload ends the call.
    fn ends_on_empty_payload(&self) -> bool {
        false
    }

    /// So many audio frames leave without SRTP when the other description has arrived.
    fn frames_before_handshake(&self) -> u32 {
        0
    }

    /// A base key in place of the agreed one.
    fn base_key(&self, _call_id: &[u8; 16], _sender: Role, _kind: Kind) -> Option<[u8; 16]> {
        None
    }

    /// Frames after which the counter of a key goes back to 0.
    fn restarts_after(&self) -> Option<u64> {
        None
    }

    /// Whether frames are refused that were opened before.
    fn refuses_replay(&self) -> bool {
        true
    }

    /// Whether the certificate of the handshake must be that of the description.
    fn checks_fingerprint(&self) -> bool {
        true
    }

    /// Whether the user's policy counts.
    fn heeds_policy(&self) -> bool {
        true
    }

    /// Whether the own option alone lights the lock.
    fn lights_lock_alone(&self) -> bool {
        false
    }

    /// What of its own audio base key the client tells the service when the keys are made, as it is written.
    fn tells_service(&self, _base_key: &[u8; 16]) -> Option<String> {
        None
    }

    /// Whether the client hands its keys to the service when recording is asked for in a sealed call.
    fn lets_record(&self) -> bool {
        false
    }
}

/// A client without a fault.
pub(super) struct Honest;

impl Deviation for Honest {}

/// A flaw: its name, its behaviour and its page.
struct Entry {
    flaw: Flaw,
    deviation: fn() -> Box<dyn Deviation>,
    source: &'static str,
}

macro_rules! entry {
    ($flaw:ident, $module:ident) => {
        Entry {
            flaw: Flaw::$flaw,
            deviation: || Box::new($module::Behaviour),
            source: include_str!(concat!("flaws/", stringify!($module), ".rs")),
        }
    };
}

const FLAWS: &[Entry] = &[
    entry!(NoSealing, no_sealing),
    entry!(UnsealedOneInTwenty, unsealed_one_in_twenty),
    entry!(UnsealedVideo, unsealed_video),
    entry!(SealingNeverStarts, sealing_never_starts),
    entry!(SealingStartsLate, sealing_starts_late),
    entry!(PlaysUnsealed, plays_unsealed),
    entry!(PlaysNoise, plays_noise),
    entry!(EmptyPayloadEndsCall, empty_payload_ends_call),
    entry!(MediaBeforeHandshake, media_before_handshake),
    entry!(KeyInSignalling, key_in_signalling),
    entry!(FixedKey, fixed_key),
    entry!(KeyFromCallId, key_from_call_id),
    entry!(NoFingerprintCheck, no_fingerprint_check),
    entry!(ReplayAccepted, replay_accepted),
    entry!(NonceRestarts, nonce_restarts),
    entry!(LockAfterOneOptIn, lock_after_one_opt_in),
    entry!(PolicyIgnored, policy_ignored),
    entry!(RecordingWhenSealed, recording_when_sealed),
];

/// How a client with `flaw` behaves.
pub(super) fn deviation(flaw: Option<Flaw>) -> Box<dyn Deviation> {
    match FLAWS.iter().find(|entry| Some(entry.flaw) == flaw) {
        Some(entry) => (entry.deviation)(),
        None => Box::new(Honest),
    }
}

/// The page of a flaw: the text at the head of its file.
pub fn page(flaw: Flaw) -> String {
    FLAWS.iter().find(|entry| entry.flaw == flaw).map(|entry| crate::head(entry.source)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flaw_has_its_file_and_a_page() {
        for flaw in Flaw::ALL {
            let entries: Vec<_> = FLAWS.iter().filter(|entry| entry.flaw == *flaw).collect();
            assert_eq!(entries.len(), 1, "{flaw}");
            assert!(page(*flaw).lines().count() >= 3, "the page of {flaw} is too short");
        }
    }

    #[test]
    fn every_flaw_deviates_somewhere_and_an_honest_client_nowhere() {
        let traits = |d: &dyn Deviation| {
            (
                (0..40).map(|n| d.leaves_open(Kind::Video, n)).collect::<Vec<_>>(),
                (d.plays_open(Kind::Audio), d.plays_sealed(), d.ends_on_empty_payload()),
                d.frames_before_handshake(),
                d.base_key(&[1; 16], Role::Caller, Kind::Audio),
                (d.restarts_after(), d.refuses_replay(), d.checks_fingerprint(), d.heeds_policy()),
                (d.lights_lock_alone(), d.tells_service(&[2; 16]), d.lets_record()),
            )
        };
        let honest = traits(deviation(None).as_ref());
        assert_eq!(honest, traits(&Honest));
        for flaw in Flaw::ALL {
            assert_ne!(traits(deviation(Some(*flaw)).as_ref()), honest, "{flaw}");
        }
    }
}
