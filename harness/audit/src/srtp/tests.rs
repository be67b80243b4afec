//! SRTP against the vectors of its RFCs and of libsrtp, and against packets that must not open.

use ctr::cipher::KeyInit;
use hmac::{Hmac, Mac};
use proptest::prelude::*;
use rstest::rstest;
use sha1::Sha1;

use super::cipher::Cipher;
use super::derivation;
use super::*;
use crate::vectors::{self, SrtpMaster};

fn vectors() -> vectors::Srtp {
    vectors::read(vectors::SRTP)
}

fn master(case: &SrtpMaster) -> MasterKey {
    MasterKey::new(Profile::named(&case.profile).expect("a profile"), &case.master).expect("a key")
}

/// Seals an RTP packet in counter mode; counter mode undoes itself.
fn seal(master: &MasterKey, header: [u8; 12], plain: &[u8], roc: u32) -> Vec<u8> {
    let keys = SessionKeys::derive(&master.key, &master.salt, derivation::RTP);
    let Some(Cipher::CounterMode(cipher)) = Cipher::new(master.profile, &keys, 10) else {
        panic!("counter mode")
    };
    let sequence = u64::from(u16::from_be_bytes([header[2], header[3]]));
    let ssrc = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    let mut body = plain.to_vec();
    cipher.apply(ssrc, u64::from(roc) << 16 | sequence, &mut body);
    let mut packet = [&header[..], &body].concat();
    let mut mac = Hmac::<Sha1>::new_from_slice(&keys.authentication).expect("any length");
    mac.update(&packet);
    mac.update(&roc.to_be_bytes());
    packet.extend_from_slice(&mac.finalize().into_bytes()[..master.profile.rtp_tag_length()]);
    packet
}

fn some_key(profile: Profile) -> MasterKey {
    let bytes: Vec<u8> = (0..).take(profile.key_length() + profile.salt_length()).collect();
    MasterKey::new(profile, &bytes).expect("the right length")
}

fn header(sequence: u16) -> [u8; 12] {
    let [high, low] = sequence.to_be_bytes();
    [0x80, 0x6f, high, low, 0, 0, 0, 1, 0xca, 0xfe, 0xba, 0xbe]
}

#[test]
fn session_keys_are_those_of_the_rfcs() {
    for case in vectors().derivation {
        let keys = SessionKeys::derive(&case.master_key, &case.master_salt, derivation::RTP);
        assert_eq!(keys.cipher, *case.cipher_key);
        assert_eq!(keys.salt, *case.salt);
        assert_eq!(keys.authentication, *case.authentication_key);
    }
}

#[test]
fn the_keystream_is_that_of_the_rfc() {
    let case = vectors().keystream;
    let keys = SessionKeys {
        cipher: case.cipher_key.to_vec(),
        authentication: [0; 20],
        salt: case.salt.to_vec().try_into().expect("14 bytes"),
    };
    let Some(Cipher::CounterMode(cipher)) = Cipher::new(Profile::AesCmSha1Tag80, &keys, 10) else {
        panic!("counter mode")
    };
    let mut bytes = vec![0; case.keystream.len()];
    cipher.apply(0, 0, &mut bytes);
    assert_eq!(bytes, *case.keystream);
}

#[test]
fn packets_under_session_keys_open_as_in_the_rfc() {
    for case in vectors().session {
        let profile = Profile::named(&case.profile).expect("a profile");
        let opened =
            open_under_session_keys(profile, &case.key, &case.salt, &case.sealed, case.protocol == "rtcp");
        assert_eq!(opened.as_deref(), Some(&*case.plain), "{}", case.source);
    }
}

#[test]
fn packets_under_master_keys_open_as_in_libsrtp() {
    for case in vectors().master {
        let key = master(&case);
        assert_eq!(RtpOpener::new(&key).open(&case.rtp_sealed, 0).as_deref(), Some(&*case.rtp_plain));
        assert!(fits(key.profile, &key.key, &key.salt, &case.rtp_sealed, 0, &mut Vec::new()));
        let opened = RtcpOpener::new(&key).open(&case.rtcp_sealed).expect("opens");
        assert_eq!((opened.index, opened.encrypted), (1, true));
        assert_eq!(opened.packet, *case.rtcp_plain);
    }
}

#[test]
fn a_tag_of_32_bits_is_the_start_of_that_of_80() {
    let case = &vectors().master[0];
    let key = MasterKey::new(Profile::AesCmSha1Tag32, &case.master).expect("a key");
    let packet = &case.rtp_sealed[..case.rtp_sealed.len() - 6];
    assert_eq!(RtpOpener::new(&key).open(packet, 0).as_deref(), Some(&*case.rtp_plain));
    assert!(RtcpOpener::new(&key).open(&case.rtcp_sealed).is_some(), "RTCP keeps its 80 bits");
}

#[test]
fn no_changed_bit_goes_unnoticed() {
    for case in vectors().master {
        let key = master(&case);
        let (rtp, rtcp) = (RtpOpener::new(&key), RtcpOpener::new(&key));
        for bit in 0..8 * case.rtp_sealed.len() {
            let mut packet = case.rtp_sealed.to_vec();
            packet[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(rtp.open(&packet, 0), None, "{} bit {bit}", case.source);
            assert!(!fits(key.profile, &key.key, &key.salt, &packet, 0, &mut Vec::new()));
        }
        for bit in 0..8 * case.rtcp_sealed.len() {
            let mut packet = case.rtcp_sealed.to_vec();
            packet[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(rtcp.open(&packet), None, "{} bit {bit}", case.source);
        }
    }
}

#[test]
fn neither_another_key_nor_another_counter_opens() {
    for case in vectors().master {
        let key = master(&case);
        assert_eq!(RtpOpener::new(&key).open(&case.rtp_sealed, 1), None);
        for at in 0..case.master.len() {
            let mut bytes = case.master.to_vec();
            bytes[at] ^= 1;
            let wrong = MasterKey::new(key.profile, &bytes).expect("a key");
            assert_eq!(RtpOpener::new(&wrong).open(&case.rtp_sealed, 0), None, "byte {at}");
            assert_eq!(RtcpOpener::new(&wrong).open(&case.rtcp_sealed), None, "byte {at}");
            assert!(!fits(key.profile, &wrong.key, &wrong.salt, &case.rtp_sealed, 0, &mut Vec::new()));
        }
    }
}

#[test]
fn contributing_sources_and_extension_are_authenticated_and_not_deciphered() {
    let key = some_key(Profile::AesCmSha1Tag80);
    let mut packet = seal(&key, header(7), b"\xbe\xde\x00\x01abcdframe", 0);
    assert_eq!(RtpOpener::new(&key).open(&packet, 0).as_deref(), Some(&b"\xbe\xde\x00\x01abcdframe"[..]));
    packet[0] |= 0x10;
    assert_eq!(RtpOpener::new(&key).open(&packet, 0), None);
}

#[test]
fn the_counter_is_followed_over_its_turn() {
    let key = some_key(Profile::AesCmSha1Tag80);
    let opener = RtpOpener::new(&key);
    let mut rollover = Rollover::default();
    for (sequence, roc) in [(65_534, 0), (65_535, 0), (1, 1), (0, 1), (65_533, 0), (2, 1)] {
        let packet = seal(&key, header(sequence), b"frame", roc);
        assert_eq!(rollover.open(&opener, &packet, 0), Some((roc, b"frame".to_vec())), "{sequence}");
    }
    assert_eq!(rollover.open(&opener, &seal(&key, header(3), b"frame", 7), 9), None, "no jump is believed");
}

#[test]
fn a_capture_from_the_middle_of_a_call_is_searched_up_to_the_limit() {
    let key = some_key(Profile::AesCmSha1Tag80);
    let opener = RtpOpener::new(&key);
    let packet = seal(&key, header(3), b"frame", 5);
    assert_eq!(Rollover::default().open(&opener, &packet, 4), None);
    assert_eq!(Rollover::default().open(&opener, &packet, 5), Some((5, b"frame".to_vec())));
}

#[rstest]
#[case::empty(Profile::AesCmSha1Tag80, 0)]
#[case::short(Profile::AesCmSha1Tag80, 29)]
#[case::long(Profile::AesCmSha1Tag32, 31)]
#[case::salt_of_counter_mode(Profile::AeadAes128Gcm, 30)]
#[case::half_a_key(Profile::AeadAes256Gcm, 28)]
fn a_key_of_another_length_is_refused(#[case] profile: Profile, #[case] found: usize) {
    let expected = profile.key_length() + profile.salt_length();
    assert_eq!(MasterKey::new(profile, &vec![1; found]), Err(WrongLength { profile, expected, found }));
    let (key, salt) = (vec![1; found.min(16)], vec![1; found.saturating_sub(16)]);
    assert!(!fits(profile, &key, &salt, &[0x80; 40], 0, &mut Vec::new()));
}

#[test]
fn names_and_numbers_are_those_of_iana() {
    for profile in Profile::ALL {
        assert_eq!(Profile::named(profile.name()), Some(profile));
        assert_eq!(profile.number().and_then(Profile::numbered), Some(profile));
    }
    assert_eq!(Profile::named("SRTP_NULL_HMAC_SHA1_80"), None);
    assert_eq!(Profile::numbered(5), None);
}

#[test]
fn a_key_does_not_print_itself() {
    let key = some_key(Profile::AeadAes128Gcm);
    assert_eq!(format!("{key:?}"), "MasterKey(SRTP_AEAD_AES_128_GCM, …)");
}

proptest! {
    #[test]
    fn any_bytes_are_taken(packet in proptest::collection::vec(any::<u8>(), 0..80), roc: u32) {
        for profile in Profile::ALL {
            let key = some_key(profile);
            prop_assert_eq!(RtpOpener::new(&key).open(&packet, roc), None);
            prop_assert_eq!(RtcpOpener::new(&key).open(&packet), None);
            prop_assert!(!fits(profile, &key.key, &key.salt, &packet, roc, &mut Vec::new()));
            prop_assert_eq!(Rollover::default().open(&RtpOpener::new(&key), &packet, 1), None);
        }
        if let Some(length) = header_length(&packet) {
            prop_assert!((12..=packet.len()).contains(&length));
        }
        if let Some(payload) = without_padding(&packet, &packet) {
            prop_assert!(packet.starts_with(payload));
        }
    }
}
