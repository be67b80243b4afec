//! Calls whose ends answer each other without end.

use super::*;

/// Sends `bytes` from alice to the forwarder `count` times, a tenth of a millisecond apart.
fn again(datagrams: &mut Vec<Datagram>, count: u64, bytes: &[u8]) {
    let first = Datagram { bytes: bytes.to_vec(), ..datagrams[0].clone() };
    let at = |n: u64| Datagram { at_ns: 200_000_000 + n * 100_000, ..first.clone() };
    datagrams.extend((0..count).map(at));
}

/// An alert in an encrypted epoch (RFC 6347 §4.1).
const ALERT: [u8; 15] = [21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40];
/// A binding request (RFC 8489 §5).
const REQUEST: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

fn alerts<const COUNT: u64>(datagrams: &mut Vec<Datagram>) {
    again(datagrams, COUNT, &ALERT);
}

fn requests<const COUNT: u64>(datagrams: &mut Vec<Datagram>) {
    again(datagrams, COUNT, &REQUEST);
}

fn of(tamper: fn(&mut Vec<Datagram>)) -> ScenarioResult {
    Run::of(&Story { tamper, ..Story::sealed(both_on()) }).only()
}

#[rstest]
#[case::alerts(alerts::<400>)]
// The story's own handshakes are datagrams beside its media as well.
#[case::datagrams(requests::<1_950>)]
fn what_the_budget_allows_is_no_error(#[case] tamper: fn(&mut Vec<Datagram>)) {
    assert_eq!(of(tamper).why, "call is sealed as expected, and every check that applies passes");
}

#[rstest]
#[case::alerts(alerts::<401>, "call sends more than 400 alerts with packet ")]
#[case::datagrams(
    requests::<2_000>, "call sends more than 2000 datagrams beside its media with packet "
)]
fn what_crosses_the_budget_is_an_error_that_names_the_packet(
    #[case] tamper: fn(&mut Vec<Datagram>),
    #[case] text: &str,
) {
    let result = of(tamper);
    assert_eq!(result.verdict, Ending::Error, "{}", result.why);
    let (number, rest) = result.why.strip_prefix(text).and_then(|r| r.split_once(", at ")).expect("a packet");
    assert!(number.parse::<u64>().is_ok() && rest.starts_with("alice@contoso.example;"), "{}", result.why);
}

#[test]
fn a_twin_that_crosses_the_budget_is_an_error_of_the_variant() {
    let twin = Story { tamper: alerts::<401>, ..Story::ordinary(both_on()) };
    let result = Run::with(&Story::sealed(both_on()), &twin).only();
    assert_eq!(result.verdict, Ending::Error, "{}", result.why);
}
