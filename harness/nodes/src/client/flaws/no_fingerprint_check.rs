//! Does not compare the certificate with the description.
//!
//! DTLS-SRTP connects to whoever answers. RFC 8122 §5.1 and RFC 5763 §5 want the association torn down when the
//! certificate is not the announced one.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn checks_fingerprint(&self) -> bool {
        false
    }
}
