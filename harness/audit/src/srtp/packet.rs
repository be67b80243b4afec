//! As much of an RTP packet as its cipher needs: where the header ends (RFC 3550 §5.1).

use super::Profile;

/// What the nonce is made from, and where the header ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub sequence: u16,
    pub ssrc: u32,
    pub length: usize,
}

impl Header {
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let sequence = u16::from_be_bytes(packet.get(2..4)?.try_into().ok()?);
        let ssrc = u32::from_be_bytes(packet.get(8..12)?.try_into().ok()?);
        Some(Self { sequence, ssrc, length: header_length(packet)? })
    }
}

/// Bytes of an RTP packet before its payload: the fixed header, the contributing sources and the
/// extension, which SRTP authenticates and leaves in the clear. None when it is cut short or no
/// version 2.
pub fn header_length(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut length = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(length + 2..length + 4)?;
        length += 4 + 4 * usize::from(u16::from_be_bytes(words.try_into().ok()?));
    }
    (length <= packet.len()).then_some(length)
}

/// A packet without the MKI, of `length` bytes, which stands before an HMAC and behind the tag of GCM (RFC 3711 §3.1,
/// RFC 7714 §6). None when it is too short.
pub fn without_mki(packet: &[u8], length: usize, profile: Profile) -> Option<Vec<u8>> {
    let tag = if profile.is_counter_mode() { profile.rtp_tag_length() } else { 0 };
    let (rest, tag) = packet.split_at_checked(packet.len().checked_sub(tag)?)?;
    Some([rest.get(..rest.len().checked_sub(length)?)?, tag].concat())
}

/// The opened `body` of `packet` without the RTP padding that the header announces (RFC 3550 §5.1).
/// None when the last byte asks for more padding than there is, or for none at all.
pub fn without_padding<'a>(packet: &[u8], body: &'a [u8]) -> Option<&'a [u8]> {
    if packet.first()? & 0x20 == 0 {
        return Some(body);
    }
    match usize::from(*body.last()?) {
        0 => None,
        padding => body.get(..body.len().checked_sub(padding)?),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::bare(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9], Some(12))]
    #[case::one_source(&[0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4, 5], Some(16))]
    #[case::extension(&[0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 5], Some(20))]
    #[case::empty(&[], None)]
    #[case::cut_in_the_sources(&[0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1], None)]
    #[case::cut_before_the_extension(&[0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9], None)]
    #[case::extension_beyond_the_end(&[0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xbe, 0xde, 9, 9], None)]
    #[case::version_1(&[0x40, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9], None)]
    fn a_header_ends_where_sources_and_extension_end(#[case] packet: &[u8], #[case] length: Option<usize>) {
        assert_eq!(header_length(packet), length);
    }

    #[rstest]
    #[case::before_an_hmac(Profile::AesCmSha1Tag32, Some(&[1, 2, 5, 6, 7, 8][..]))]
    #[case::behind_the_tag_of_gcm(Profile::AeadAes128Gcm, Some(&[1, 2, 3, 4, 5, 6][..]))]
    #[case::too_short(Profile::AesCmSha1Tag80, None)]
    fn the_mki_is_taken_out(#[case] profile: Profile, #[case] rest: Option<&[u8]>) {
        assert_eq!(without_mki(&[1, 2, 3, 4, 5, 6, 7, 8], 2, profile).as_deref(), rest);
    }

    #[rstest]
    #[case::not_announced(0x80, &[1, 2, 9], Some(&[1, 2, 9][..]))]
    #[case::two_bytes(0xa0, &[1, 0, 2], Some(&[1][..]))]
    #[case::nothing_else(0xa0, &[0, 0, 3], Some(&[][..]))]
    #[case::more_than_there_is(0xa0, &[0, 0, 4], None)]
    #[case::zero(0xa0, &[1, 2, 0], None)]
    #[case::no_body(0xa0, &[], None)]
    fn padding_is_taken_off(#[case] first: u8, #[case] body: &[u8], #[case] payload: Option<&[u8]>) {
        assert_eq!(without_padding(&[first], body), payload);
    }
}
