//! Tells a refused handshake from one that did not come about.
//!
//! Invariant: the engine never reports a failed handshake, so only the capture can say that one was refused: a
//! certificate that is not the described one, an alert, and no SRTP. A DTLS client that refuses never shows its own
//! certificate, so both cannot be asked for.

use model::DeviceId;
use model::record::CallRecord;

use crate::dissect::sdp::Description;
use crate::evidence::{Association, Evidence};

/// Whether a device of the call met a certificate that was not described to it, and the handshake ended in an alert.
pub(super) fn is_for_a_fingerprint(evidence: &Evidence<'_>, record: &CallRecord) -> bool {
    let devices = [Some(&record.caller), record.callee.as_ref()];
    devices.into_iter().flatten().any(|device| refuses(evidence, record, device))
}

fn refuses(evidence: &Evidence<'_>, record: &CallRecord, device: &DeviceId) -> bool {
    let Some(interface) = evidence.interface(device) else { return false };
    let signalling = &evidence.signalling;
    let told = signalling
        .of_call(&record.call)
        .filter(|message| !message.from_client && signalling.interface(message) == Some(interface));
    let described: Vec<[u8; 32]> =
        told.flat_map(|message| Description::parse(message.text_of("sdp")).fingerprints).collect();
    let here = evidence.associations.iter().filter(|association| association.flow.interface == interface);
    !described.is_empty() && here.into_iter().any(|association| is_refused(evidence, association, &described))
}

fn is_refused(evidence: &Evidence<'_>, association: &Association, described: &[[u8; 32]]) -> bool {
    let sides = [&association.near, &association.far];
    let alert = sides.iter().any(|side| !side.alerts.is_empty() || side.encrypted_alerts > 0);
    let own =
        if evidence.is_outgoing(association.flow) { association.flow } else { association.flow.reversed() };
    let theirs = association.sender(own.reversed()).fingerprint;
    let media = evidence.media.iter().any(|media| media.stream.flow.undirected() == association.flow);
    alert && !media && theirs.is_some_and(|fingerprint| !described.contains(&fingerprint))
}
