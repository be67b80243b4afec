//! Files that public generators and our own one for odd files made, read in windows of several sizes.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const WHOLE: usize = usize::MAX / 2;

fn vectors(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(folder)
}

/// What a file gave: its frames with their places in the file, its interfaces, its secrets and its problems.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    frames: Vec<(Record, usize)>,
    secrets: Vec<Vec<u8>>,
    interfaces: Vec<Interface>,
    problems: Vec<Problem>,
    last_number: u64,
}

/// Reads a file whose bytes come `piece` at a time.
fn read(bytes: &[u8], piece: usize) -> Read {
    let (mut records, mut frames, mut secrets) = (Records::default(), Vec::new(), Vec::new());
    let (mut at, mut end) = (0, piece.min(bytes.len()));
    loop {
        let window = &bytes[at..end];
        match records.step(window, end == bytes.len()) {
            Step::Frame { record, used } => {
                assert!(record.data.end <= used, "a frame ends before its record");
                frames.push((record, at));
                at += used;
            }
            Step::Secrets { data, used } => {
                secrets.push(window[data].to_vec());
                at += used;
            }
            Step::Nothing { used } => at += used,
            Step::Need(more) => {
                assert!(more > window.len() && end < bytes.len(), "only what can be had is asked for");
                end = bytes.len().min(end + piece);
            }
            Step::End => break,
        }
    }
    let last_number = records.number;
    Read { frames, secrets, interfaces: records.interfaces, problems: records.problems.finish(), last_number }
}

fn file(path: &str) -> Vec<u8> {
    std::fs::read(vectors(path)).expect("a vector")
}

#[test]
fn every_hostile_file_gives_its_frames_or_its_problem() {
    let mut seen = 0;
    for line in String::from_utf8(file("hostile/expected.tsv")).expect("text").lines() {
        let mut columns = line.split('\t');
        let (Some(name), Some(frames)) = (columns.next(), columns.next()) else { panic!("{line}") };
        if name.ends_with(".gz") {
            continue;
        }
        let frames: usize = frames.parse().expect("a number");
        let read = read(&file(&format!("hostile/{name}")), WHOLE);
        assert!(read.frames.len() >= frames, "{name}: {} frames instead of {frames}", read.frames.len());
        assert!(frames > 0 || name.starts_with("09") || !read.problems.is_empty(), "{name} has no problem");
        seen += 1;
    }
    assert_eq!(seen, 84);
}

#[rstest]
#[case::header_of_a_record(
    "06-trunc-record-header.pcap",
    2,
    284,
    "the file ends within the head of a record"
)]
#[case::record("07-trunc-record-data.pcap", 2, 284, "the file ends within a record")]
#[case::empty("08-empty-file.pcap", 0, 0, "the file is empty")]
#[case::short("10-short-header.pcap", 0, 0, "the file ends within its header")]
#[case::lying_record("14-huge-caplen.pcap", 2, 154, "a record claims 2147483647 bytes; 130 bytes")]
#[case::garbage("18-trailing-garbage.pcap", 2, 284, "a record claims")]
#[case::foreign("19-bad-magic.pcap", 0, 0, "neither pcap nor pcapng")]
#[case::unknown_times("36-tsresol-10^-127.pcapng", 1, 28, "interface 0 counts time in steps of 0x7f")]
#[case::no_interface("44-epb-before-idb.pcapng", 0, 28, "a packet on interface 0, which is not described")]
#[case::bad_interface("45-epb-bad-ifid.pcapng", 2, 196, "a packet on interface 7")]
#[case::long_packet("46-epb-caplen-gt-block.pcapng", 2, 196, "a block that cannot be read")]
#[case::two_lengths("47-block-len-mismatch.pcapng", 2, 196, "the two lengths of a block differ; 148 bytes")]
#[case::huge_block("48-block-len-huge.pcapng", 2, 196, "a block claims 4294967292 bytes; 32 bytes")]
#[case::small_block("49-block-len-small.pcapng", 2, 196, "a block claims 8 bytes; 32 bytes")]
#[case::unaligned_block("50-block-len-unaligned.pcapng", 2, 196, "a block claims 33 bytes; 37 bytes")]
#[case::cut("52-truncated-epb.pcapng", 1, 196, "the file ends within a block")]
#[case::version("56-shb-version9.pcapng", 0, 0, "a section of version 9")]
fn damage_has_its_place_and_what_is_sound_behind_it_is_read(
    #[case] name: &str,
    #[case] frames: usize,
    #[case] offset: u64,
    #[case] text: &str,
) {
    let read = read(&file(&format!("hostile/{name}")), WHOLE);
    let problem = read.problems.first().expect("a problem");
    assert_eq!((read.frames.len(), problem.offset, read.problems.len()), (frames, offset, 1), "{problem:?}");
    assert!(problem.text.starts_with(text), "{}", problem.text);
}

/// Numbers by tshark 4.0.17, which counts custom blocks like packets.
#[rstest]
#[case("advanced/test100", 5)]
#[case("advanced/test101", 4)]
#[case("advanced/test102", 8)]
#[case("basic/test001", 4)]
#[case("basic/test002", 0)]
#[case("basic/test003", 0)]
#[case("basic/test004", 4)]
#[case("basic/test005", 4)]
#[case("basic/test006", 5)]
#[case("basic/test007", 1)]
#[case("basic/test008", 4)]
#[case("basic/test009", 2)]
#[case("basic/test010", 4)]
#[case("basic/test011", 4)]
#[case("basic/test012", 4)]
#[case("basic/test013", 0)]
#[case("basic/test014", 0)]
#[case("basic/test015", 0)]
#[case("basic/test016", 4)]
#[case("basic/test017", 4)]
#[case("basic/test018", 8)]
#[case("difficult/test200", 0)]
#[case("difficult/test201", 4)]
#[case("difficult/test202", 11)]
fn public_files_are_read_in_full_in_both_byte_orders(#[case] name: &str, #[case] numbers: u64) {
    let text = String::from_utf8(file(&format!("pcapng/output_le/{name}.txt"))).expect("text");
    let count = |kind: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(kind)?.strip_prefix(": "));
        line.map_or(0, |n| n.parse::<usize>().expect("a number"))
    };
    let [big, little] = ["output_be", "output_le"].map(|order| {
        let read = read(&file(&format!("pcapng/{order}/{name}.pcapng")), WHOLE);
        assert_eq!((&read.problems, read.last_number), (&Vec::new(), numbers), "{order}");
        read.frames.into_iter().map(|(record, _)| record).collect::<Vec<_>>()
    });
    assert_eq!(big.len(), count("EPB") + count("SPB"));
    assert_eq!(big, little);
}

#[rstest]
#[case::micro("01-base-us-le.pcap", 1_700_000_000_000_005_000)]
#[case::micro_big_endian("02-us-be.pcap", 1_700_000_000_000_005_000)]
#[case::nano("03-ns-le.pcap", 1_700_000_000_000_000_005)]
#[case::nano_big_endian("04-ns-be.pcap", 1_700_000_000_000_000_005)]
#[case::kuznetzov("05-modified-kuznetzov.pcap", 1_700_000_000_000_005_000)]
#[case::pcapng("30-base.pcapng", 1_700_000_000_000_000_000)]
#[case::pcapng_nano("34-tsresol-ns.pcapng", 1_700_000_000_000_000_005)]
#[case::power_of_two("35-tsresol-2^-10.pcapng", 1_700_000_000_000_000_000)]
#[case::unknown("37-tsresol-2^-127.pcapng", 0)]
#[case::out_of_range("38-tsoffset-max.pcapng", u64::MAX)]
fn times_are_nanoseconds_from_1970(#[case] name: &str, #[case] at_ns: u64) {
    assert_eq!(read(&file(&format!("hostile/{name}")), WHOLE).frames[0].0.at_ns, at_ns);
}

#[test]
fn embedded_secrets_are_given_as_they_stand() {
    let read = read(&file("hostile/53-dsb.pcapng"), WHOLE);
    assert_eq!(read.secrets, [b"CLIENT_RANDOM 00 11\n".to_vec()]);
}

#[test]
fn interfaces_of_several_sections_are_counted_on() {
    let read = read(&file("hostile/32-multisection-mixed-endian.pcapng"), WHOLE);
    let links: Vec<_> = read.frames.iter().map(|(record, _)| (record.interface, record.linktype)).collect();
    assert_eq!(links, [(0, 1), (1, 101), (2, 1)]);
}

#[test]
fn a_hole_of_zeros_is_one_problem() {
    let mut bytes = file("hostile/01-base-us-le.pcap");
    bytes.extend(std::iter::repeat_n(0, 1 << 20));
    let read = read(&bytes, 1 << 16);
    assert_eq!(read.problems.len(), 1, "{:?}", read.problems);
    assert!(read.problems[0].text.starts_with("more than 100 records of no length in a row"));
    assert_eq!(read.frames.len(), 3 + 100);
}

#[test]
fn problems_beyond_the_bound_are_counted() {
    let mut problems = Problems::default();
    for offset in 0..102 {
        problems.push(offset, "damage");
    }
    let listed = problems.finish();
    assert_eq!((listed.len(), listed[100].text.as_str()), (101, "2 more places of damage follow"));
}

/// Files of both formats, whole and damaged.
const DAMAGED: [&str; 4] =
    ["01-base-us-le.pcap", "30-base.pcapng", "33-multi-if-linktypes.pcapng", "47-block-len-mismatch.pcapng"];

fn damaged() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let whole = prop::sample::select(&DAMAGED[..]).prop_map(|name| file(&format!("hostile/{name}")));
    let flips = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (whole, flips, any::<prop::sample::Index>(), 1_usize..200).prop_map(|(mut bytes, flips, cut, piece)| {
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let length = cut.index(bytes.len() * 4);
        bytes.truncate(length.max(1));
        (bytes, piece)
    })
}

proptest! {
    #[test]
    fn the_size_of_the_window_changes_nothing((bytes, piece) in damaged()) {
        prop_assert_eq!(read(&bytes, piece), read(&bytes, WHOLE));
    }
}
