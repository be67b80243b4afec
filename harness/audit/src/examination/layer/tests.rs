//! What is no header of a frame layer, however it begins; and headers that begin late, end early or repeat.

use rstest::rstest;

use super::*;
use crate::bench::noise;
use crate::examination::sample::Look;

fn sealed(payloads: impl Iterator<Item = Vec<u8>>) -> Option<Sealed> {
    let samples: Vec<Sample> = (0..)
        .zip(payloads)
        .map(|(n, payload): (u16, _)| {
            Sample::of(&Look {
                number: u64::from(n) + 1,
                payload_type: 111,
                timestamp: 960 * u32::from(n),
                sequence: n,
                marker: true,
                extension: 0,
                payload: &payload,
                tagged: false,
            })
        })
        .collect();
    let mut layer = Layer::default();
    samples.chunks(64).for_each(|window| layer.look(&window.iter().collect::<Vec<_>>()));
    layer.finish()
}

#[test]
fn random_bytes_are_no_headers() {
    let found = (0..400_u32).filter(|stream| {
        let payloads = (0..130).map(|n| noise(stream * 1_000 + n, 70));
        sealed(payloads).is_some()
    });
    assert_eq!(found.count(), 0);
}

/// The configuration of a codec is in the first byte, which stays: so does the first byte of a header.
#[test]
fn one_first_byte_does_not_make_a_header() {
    for first in 0..=255 {
        let payloads = (0..130).map(|n| [vec![first], noise(n, 70)].concat());
        assert!(sealed(payloads).is_none(), "{first:#04x}");
    }
}

#[rstest]
#[case::that_stays(|_| vec![0x18, 9])]
#[case::that_goes_back(|n| vec![0x18, 250 - n as u8])]
#[case::in_steps_of_a_hundred(|n| vec![0x19, ((n * 100) >> 8) as u8, (n * 100) as u8])]
#[case::that_is_another_key_id_each_time(|n| vec![0x88, n as u8, 9])]
fn a_counter_does_not_make_a_header(#[case] header: fn(u32) -> Vec<u8>) {
    assert!(sealed((0..130).map(|n| [header(n), noise(n, 70)].concat())).is_none());
}

fn header(n: u32) -> Vec<u8> {
    if n < 8 { vec![0x10 | n as u8] } else { vec![0x18, n as u8] }
}

#[rstest]
#[case::eight(8, Some(8))]
#[case::seven_are_too_few(7, None)]
fn eight_headers_that_go_on_are_a_layer(#[case] packets: u32, #[case] behind: Option<u64>) {
    let found = sealed((0..packets).map(|n| [header(n), noise(n, 70)].concat()));
    assert_eq!(found.map(|found| (found.behind.packets, found.bare.is_none())), behind.map(|n| (n, true)));
}

#[rstest]
#[case::at_the_start(|n| n < 20, 20)]
#[case::at_the_end(|n| n >= 110, 20)]
#[case::in_the_middle(|n| (50..80).contains(&n), 30)]
fn packets_without_a_header_are_all_named(#[case] bare: fn(u32) -> bool, #[case] total: u64) {
    let found = sealed((0..130).map(|n| {
        let header = if bare(n) { vec![0x78] } else { header(n) };
        [header, noise(n, 70)].concat()
    }));
    let bare: Vec<u64> = (0..130).filter(|n| bare(*n)).map(|n| u64::from(n) + 1).collect();
    let found = found.and_then(|found| found.bare).expect("packets without a header");
    assert_eq!((found.packets.total, found.packets.numbers), (total, bare));
    assert!(found.found.is_structured());
}
