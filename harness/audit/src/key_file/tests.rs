//! Whole key files, and every way in which a line can be wrong.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::srtp::Profile;

const SRTP: &str = "SRTP <profile> <master key and salt>";
const SFRAME: &str = "SFRAME <cipher suite> <key id> <base key>";
const TWO_BYTES: WrongLength = WrongLength { profile: Profile::AeadAes128Gcm, expected: 28, found: 2 };

fn parties() -> Owner {
    Owner::Parties
}

fn only_error(line: &str) -> LineError {
    let file = KeyFile::parse(line, Some(&parties()));
    assert_eq!(file.keys, []);
    assert_eq!(file.errors.len(), 1, "{line}");
    file.errors[0].error.clone()
}

#[test]
fn every_kind_of_line_is_read() {
    let (random, secret) = ("11".repeat(32), "22".repeat(48));
    let text = format!(
        "# two parties\n\n\
         CLIENT_RANDOM {random} {secret}\r\n\
         SERVER_TRAFFIC_SECRET_0 {random} {} owner=call-service\n\
         SRTP SRTP_AEAD_AES_128_GCM {} ssrc=0000cafe owner=forwarder\n\
           SFRAME 4 5 {}\n\
         AGREE {} {}\n\
         ECH_SECRET {random} 00\n",
        "33".repeat(32),
        "44".repeat(28),
        "55".repeat(16),
        "66".repeat(16),
        "77".repeat(32),
    );
    let file = KeyFile::parse(&text, Some(&parties()));
    assert_eq!(file.errors, []);
    let other = |name: &str| Owner::Other(name.to_owned());
    let key = |line, owner, secret| Key { owner, line, secret };
    let master = MasterKey::new(Profile::AeadAes128Gcm, &[0x44; 28]).expect("a key");
    let traffic = Secret::Traffic {
        label: TrafficLabel::ServerApplication,
        client_random: [0x11; 32],
        secret: vec![0x33; 32],
    };
    assert_eq!(
        file.keys,
        [
            key(3, parties(), Secret::Master { client_random: [0x11; 32], secret: [0x22; 48] }),
            key(4, other("call-service"), traffic),
            key(5, other("forwarder"), Secret::Srtp { master, ssrc: Some(0xcafe) }),
            key(
                6,
                parties(),
                Secret::Sframe { suite: Suite::Aes128Gcm, key_id: 5, base_key: vec![0x55; 16] }
            ),
            key(7, parties(), Secret::Agree { call_id: [0x66; 16], z: [0x77; 32] }),
        ]
    );
}

#[rstest]
#[case::unknown_kind("SRTPS x", LineError::UnknownKind("SRTPS".into()))]
#[case::lost_kind("0011223344556677 00", LineError::UnknownKind("00112233…".into()))]
#[case::lower_case("srtp x", LineError::UnknownKind("srtp".into()))]
#[case::unknown_profile("SRTP NULL 00", LineError::UnknownProfile("NULL".into()))]
#[case::no_key("SRTP SRTP_AEAD_AES_128_GCM", LineError::Missing("key", SRTP))]
#[case::option_for_key("SRTP SRTP_AEAD_AES_128_GCM owner=forwarder", LineError::Missing("key", SRTP))]
#[case::short_key("SRTP SRTP_AEAD_AES_128_GCM 0011", LineError::WrongLength(TWO_BYTES))]
#[case::odd_hex("SFRAME 4 0 123", LineError::NotHex("base key", "whole bytes"))]
#[case::suite_0("SFRAME 0 0 00", LineError::UnknownSuite(0))]
#[case::suite_6("SFRAME 6 0 00", LineError::UnknownSuite(6))]
#[case::suite_beyond_16_bits("SFRAME 65540 0 00", LineError::NotDecimal("cipher suite", "65540".into()))]
#[case::leading_zero("SFRAME 04 0 00", LineError::NotDecimal("cipher suite", "04".into()))]
#[case::sign("SFRAME 4 +1 00", LineError::NotDecimal("key id", "+1".into()))]
#[case::hex_key_id("SFRAME 4 0x1 00", LineError::NotDecimal("key id", "0x1".into()))]
#[case::key_id_of_65_bits("SFRAME 4 18446744073709551616 0", LineError::NotDecimal("key id", "18446744…".into()))]
#[case::short_call_id("AGREE 00 00", LineError::NotHex("call id", "16 bytes"))]
#[case::word_too_many("SFRAME 4 0 00 0011223344556677", LineError::Extra("00112233…".into(), SFRAME))]
#[case::ssrc_on_sframe("SFRAME 4 0 00 ssrc=00000001", LineError::UnknownOption("ssrc".into()))]
#[case::unknown_option("SFRAME 4 0 00 kid=1", LineError::UnknownOption("kid".into()))]
#[case::owner_twice("SFRAME 4 0 00 owner=aa owner=bb", LineError::OptionTwice("owner"))]
#[case::owner_of_one_letter("SFRAME 4 0 00 owner=C", LineError::NoOwner(NoOwner("C".into())))]
#[case::empty_owner("SFRAME 4 0 00 owner=", LineError::NoOwner(NoOwner(String::new())))]
#[case::short_random("CLIENT_RANDOM 00 00", LineError::NotHex("client random", "32 bytes"))]
fn a_line_that_cannot_be_used_says_why(#[case] line: &str, #[case] error: LineError) {
    assert_eq!(only_error(line), error);
}

#[rstest]
#[case::short_ssrc("ssrc=cafe")]
#[case::no_hex("ssrc=cafecafg")]
fn an_ssrc_is_four_bytes(#[case] ssrc: &str) {
    let line = format!("SRTP SRTP_AEAD_AES_128_GCM {} {ssrc}", "00".repeat(28));
    assert_eq!(only_error(&line), LineError::NotHex("SSRC", "4 bytes"));
}

#[test]
fn a_traffic_secret_of_another_length_is_refused() {
    for length in [0, 31, 33, 47, 64] {
        let line = format!("CLIENT_TRAFFIC_SECRET_0 {} {}", "00".repeat(32), "11".repeat(length));
        let expected = match length {
            0 => LineError::Missing("secret", "LABEL <client random> <secret>"),
            _ => LineError::NotHex("secret", "32 or 48 bytes"),
        };
        assert_eq!(only_error(&line), expected);
    }
}

#[test]
fn a_key_without_an_owner_is_refused_with_both_ways_to_give_one() {
    let file = KeyFile::parse("SFRAME 4 0 00\nSFRAME 4 1 00 owner=parties", None);
    assert_eq!(file.errors, [KeyFileError { line: 1, error: LineError::Ownerless }]);
    assert_eq!(file.keys.len(), 1);
    assert_eq!(
        file.errors[0].to_string(),
        "line 1: this key has no owner; add owner=NAME to the line, or give the file as --keys OWNER:FILE"
    );
}

#[test]
fn only_a_middle_party_could_have_listened() {
    let middle = |name| Owner::named(name).map(|owner| owner.is_middle_party());
    assert_eq!(middle("parties"), Ok(false));
    assert_eq!(middle("embedded"), Ok(false));
    assert_eq!(middle("service"), Ok(true));
    assert_eq!(middle("Parties"), Ok(true), "names are taken as they are written");
    assert_eq!(Owner::named("forwarder").map(|owner| owner.to_string()), Ok("forwarder".to_owned()));
}

#[test]
fn neither_keys_nor_errors_print_a_secret() {
    let secret = "5ec2e7".repeat(8);
    let text = format!(
        "AGREE {} {}\nSFRAME 4 0 {secret}\nCLIENT_RANDOM {} {secret}{secret}\n\
         SFRAME 4 0 00 {secret}\nAGREE x{secret} {secret}",
        "00".repeat(16),
        &"5ec2e7".repeat(11)[..64],
        "00".repeat(32),
    );
    let file = KeyFile::parse(&text, Some(&parties()));
    assert_eq!((file.keys.len(), file.errors.len()), (3, 2));
    let shown = format!("{file:?}{}{}", file.errors[0], file.errors[1]);
    assert!(!shown.contains("5ec2e75ec2e7"), "{shown}");
    assert!(!shown.contains("94, 194, 231"), "{shown}");
}

proptest! {
    #[test]
    fn any_text_is_taken(text in "\\PC*", word in "(SRTP|SFRAME|AGREE|CLIENT_RANDOM)") {
        for text in [text.clone(), format!("{word} {text}")] {
            let file = KeyFile::parse(&text, None);
            prop_assert!(file.keys.len() + file.errors.len() <= text.lines().count());
        }
    }
}
