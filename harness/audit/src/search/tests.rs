//! Parts of secrets in bytes, and along streams.

use rstest::rstest;

use super::*;
use crate::bench::plans::both_on;
use crate::bench::signals::{base_keys, z};
use crate::bench::story::{ALICE, Datagram, Story};
use crate::evidence::Evidence;

fn traces(story: &Story) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let world = story.tell(folder.path(), "searched");
    let evidence = Evidence::gather(folder.path(), &world);
    let traces = search(&Secrets::of(&evidence), &Free::of(&evidence));
    traces.into_iter().map(|trace| (trace.secret, trace.place)).collect()
}

#[test]
fn an_honest_call_leaves_no_trace() {
    assert_eq!(traces(&Story::sealed(both_on())), []);
}

#[test]
fn what_the_service_holds_by_right_is_not_looked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = Story::ordinary(both_on()).tell(folder.path(), "ordinary");
    assert!(Secrets::of(&Evidence::gather(folder.path(), &world)).is_empty());
}

#[test]
fn eight_bytes_are_enough_and_seven_are_not() {
    let eight = Story { tamper: |d| part_of_z(8, d), ..Story::sealed(both_on()) };
    let seven = Story { tamper: |d| part_of_z(7, d), ..Story::sealed(both_on()) };
    assert_eq!(
        traces(&eight),
        [("the shared secret of the agreement".to_owned(), "in a datagram".to_owned())]
    );
    assert_eq!(traces(&seven), []);
}

fn part_of_z(length: usize, datagrams: &mut Vec<Datagram>) {
    let bytes = [&[0x7F][..], &z()[3..3 + length], &[9; 9]].concat();
    datagrams.push(Datagram { at_ns: 1, from: ALICE, to: 2, bytes, leaves: true, arrives: true });
}

/// Datagrams of STUN's shape, 64 of them, that differ in what `hide` puts into the attribute.
fn stun(datagrams: &mut Vec<Datagram>, hide: impl Fn(usize) -> (u8, usize)) {
    for at in 0..64 {
        let (byte, length) = hide(at);
        let mut bytes = vec![0, 1, 0, 4, 0x21, 0x12, 0xA4, 0x42];
        bytes.extend([0; 12]);
        bytes.extend([0x80, 0x22, 0, 0]);
        bytes[10] = byte;
        if length == 1 {
            bytes[3] = 8;
            bytes.extend([0x80, 0x23, 0, 0]);
        }
        let at_ns = 1_000_000 * u64::try_from(at).expect("small") * 2;
        datagrams.push(Datagram { at_ns, from: ALICE, to: 2, bytes, leaves: true, arrives: true });
    }
}

fn bit(at: usize) -> u8 {
    base_keys()[ALICE][at / 8] >> (7 - at % 8) & 1
}

fn lowest_bit_first(at: usize) -> u8 {
    base_keys()[ALICE][at / 8] >> (at % 8) & 1
}

#[rstest]
#[case::a_byte_in_each(
    |d: &mut Vec<Datagram>| stun(d, |at| (base_keys()[ALICE].get(at).copied().unwrap_or(0), 0)),
    "along byte 10 of STUN messages"
)]
#[case::a_bit_in_each(
    |d: &mut Vec<Datagram>| stun(d, |at| (0x40 | bit(at) << 2, 0)),
    "along bit 2 of byte 10 of STUN messages"
)]
#[case::the_lowest_bit_of_a_byte_first(
    |d: &mut Vec<Datagram>| stun(d, |at| (lowest_bit_first(at), 0)),
    "along bit 0 of byte 10 of STUN messages"
)]
fn a_key_down_a_stream_is_found(#[case] tamper: fn(&mut Vec<Datagram>), #[case] place: &str) {
    let found = traces(&Story { tamper, ..Story::sealed(both_on()) });
    let wanted = ("the base key of SFrame key id 0".to_owned(), place.to_owned());
    assert!(found.contains(&wanted), "{found:?}");
}

#[rstest]
#[case::length(|row: &mut Row, bit: u8| row.length = row.length & !1 | usize::from(bit), "length")]
#[case::time(|row: &mut Row, bit: u8| row.at_ns += 1_000_000 * u64::from(bit), "millisecond")]
fn a_key_in_parities_is_found(#[case] hide: fn(&mut Row, u8), #[case] what: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = Story::sealed(both_on()).tell(folder.path(), "parities");
    let secrets = Secrets::of(&Evidence::gather(folder.path(), &world));
    let row = |at: usize| Row { bytes: vec![7; 12], length: 100, at_ns: 2_000_000 * at as u64, packet: at };
    let mut column = Column { name: "RTP packets", rows: (0..80).map(row).collect() };
    assert_eq!(along(&secrets, &column), []);
    for (at, row) in column.rows.iter_mut().skip(5).take(64).enumerate() {
        hide(row, bit(at));
    }
    let found = along(&secrets, &column);
    let places: Vec<&str> = found.iter().map(|trace| trace.place.as_str()).collect();
    assert_eq!(places, [format!("along the parity of the {what} of RTP packets")]);
    assert_eq!(found[0].packets.first(), Some(&5));
}
