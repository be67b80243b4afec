//! Agreements made message by message, whole and changed.

use rstest::rstest;

use super::*;

const ALICE: &str = "10.0.0.1:5000";
const BOB: &str = "10.0.0.2:6000";

fn way(source: &str, destination: &str) -> Way {
    let address = |text: &str| text.parse().expect("an address");
    Way { interface: 0, source: address(source), destination: address(destination), through: None, behind: 0 }
}

fn sealed(key: &[u8; 32], mut message: Vec<u8>) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(&message);
    message.extend(&mac.finalize().into_bytes()[..MAC]);
    message
}

fn message(kind: &[u8; 8], length: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; length];
    bytes[..2].copy_from_slice(&[0x50, 0x5A]);
    let words = ((length + if kind.starts_with(b"Confirm") { 0 } else { MAC }) / 4) as u16;
    bytes[2..4].copy_from_slice(&words.to_be_bytes());
    bytes[4..12].copy_from_slice(kind);
    for (at, field) in fields {
        bytes[*at..at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// What one end sends: Hello, Commit, DHPart and Confirm; Bob is the responder and commits to nothing.
struct Sent {
    hello: Vec<u8>,
    commit: Vec<u8>,
    part: Vec<u8>,
}

fn sent() -> [Sent; 2] {
    let of = |seed: u8, part: &[u8; 8]| {
        let h1 = hash(&[seed]);
        let (h2, h3) = (hash(&h1), hash(&hash(&h1)));
        let hello = sealed(&h2, message(b"Hello   ", 112, &[(32, &h3)]));
        (h1, h2, hello, sealed(&[9; 32], message(part, 76, &[(12, &h1)])))
    };
    let (h1, h2, hello, part) = of(1, b"DHPart2 ");
    let (_, _, hello_of_bob, part_of_bob) = of(2, b"DHPart1 ");
    let value = hash(&[part.as_slice(), &hello_of_bob].concat());
    let commit = sealed(&h1, message(b"Commit  ", 108, &[(12, &h2), (56, b"S256"), (76, &value)]));
    [Sent { hello, commit, part }, Sent { hello: hello_of_bob, commit: Vec::new(), part: part_of_bob }]
}

fn datagram(message: &[u8]) -> Vec<u8> {
    [b"\x10\0\0\x01ZRTP\0\0\0\x07".as_slice(), message, &[0; 4]].concat()
}

fn mismatches(sent: &[Sent; 2], described: &Described) -> Vec<(String, &'static str)> {
    let mut agreements = Agreements::default();
    let [alice, bob] = sent;
    let messages = [
        (ALICE, &alice.hello),
        (BOB, &bob.hello),
        (ALICE, &alice.commit),
        (BOB, &bob.part),
        (ALICE, &alice.part),
    ];
    for (number, (source, message)) in (1..).zip(messages) {
        let way = if source == ALICE { way(ALICE, BOB) } else { way(BOB, ALICE) };
        agreements.take(way, number, &datagram(message));
    }
    agreements.take(way(BOB, ALICE), 6, &datagram(&message(b"Confirm1", 36, &[])));
    assert_eq!((agreements.compared(), agreements.confirmed(way(ALICE, BOB))), (1, Some(6)));
    let told = |mismatch: Mismatch| (mismatch.way.source.to_string(), mismatch.text);
    agreements.mismatches(described).into_iter().map(told).collect()
}

#[test]
fn what_the_ends_hashed_fits_what_they_showed() {
    assert_eq!(mismatches(&sent(), &Described::default()), []);
}

#[rstest]
#[case::h3(0, 40, "H3 of its Hello is not the hash of H2")]
#[case::hello_name(0, 20, "the MAC of its Hello does not fit H2")]
#[case::h2(1, 20, "H2 of its Commit is not the hash of H1 in its DHPart")]
#[case::algorithms(1, 60, "the MAC of its Commit does not fit H1")]
#[case::public_value(
    2,
    70,
    "the commitment of the initiator is not the hash of its DHPart2 and the other end's Hello"
)]
#[case::h1(2, 12, "H2 of its Commit is not the hash of H1 in its DHPart")]
fn a_changed_byte_is_found(#[case] message: usize, #[case] at: usize, #[case] text: &str) {
    let mut sent = sent();
    let alice = &mut sent[0];
    [&mut alice.hello, &mut alice.commit, &mut alice.part][message][at] ^= 1;
    let found = mismatches(&sent, &Described::default());
    assert!(found.contains(&(ALICE.to_owned(), *[text].first().expect("one"))), "{found:?}");
}

#[test]
fn a_hello_of_the_responder_that_was_changed_is_found_by_the_commitment_too() {
    let mut sent = sent();
    sent[1].hello[20] ^= 1;
    let found = mismatches(&sent, &Described::default());
    assert_eq!(found.len(), 2, "{found:?}");
}

#[rstest]
#[case::of_its_hello(true, 0)]
#[case::of_another_hello(false, 1)]
fn a_hash_in_a_description_is_that_of_the_hello(#[case] own: bool, #[case] found: usize) {
    let sent = sent();
    let hello = if own { &sent[0].hello } else { &sent[1].hello };
    let body = format!(
        "INVITE sip:bob@b.example SIP/2.0\r\n\r\nv=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 5000 RTP/AVP 96\r\n\
         a=zrtp-hash:1.10 {}\r\n",
        hex::encode(hash(hello))
    );
    let mut described = Described::default();
    described.take(1, body.as_bytes());
    assert_eq!(mismatches(&sent, &described).len(), found);
}
