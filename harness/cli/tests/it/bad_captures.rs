//! Captures that are damaged, hostile, not there or no captures: each ends in a verdict or a clear error, in little
//! memory.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use model::audit::{Audit, AuditVerdict};
use rstest::rstest;

use crate::{Ended, Room};

/// Kibibytes that the process may have of its own: heap, stacks of threads, and whatever else it maps to write to.
const KIBIBYTES: u32 = 64 << 10;
/// Bytes of a mebibyte.
const MEBIBYTE: usize = 1 << 20;

fn hostile(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../audit/vectors/hostile").join(name).canonicalize().unwrap()
}

/// `overheard audit` with these arguments, in a shell that bounds its memory where the system can do that.
fn bounded(room: &Room, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new("sh");
    let limit = if cfg!(target_os = "linux") { format!("ulimit -d {KIBIBYTES}; ") } else { String::new() };
    command.args(["-c", &format!("{limit}exec \"$0\" audit --quiet --format json \"$@\"")]);
    command.arg(env!("CARGO_BIN_EXE_overheard")).args(arguments).current_dir(room.0.path());
    command
}

fn audit(ended: &Ended) -> Audit {
    assert_eq!(ended.stderr, "");
    serde_json::from_str(&ended.stdout).unwrap()
}

fn audited(room: &Room, file: &Path) -> Audit {
    let ended: Ended = bounded(room, &[file.as_os_str()]).output().unwrap().into();
    let audit = audit(&ended);
    let code = match audit.verdict {
        AuditVerdict::EndToEndConsistent => 0,
        AuditVerdict::NotEndToEnd => 1,
        AuditVerdict::Inconclusive => 3,
    };
    assert_eq!(ended.code, code, "{}", file.display());
    audit
}

#[test]
fn every_hostile_capture_ends_in_a_verdict() {
    let (room, mut seen) = (Room::new(), 0);
    let expected = std::fs::read_to_string(hostile("expected.tsv")).unwrap();
    for line in expected.lines() {
        let mut fields = line.split('\t');
        let (name, least) = (fields.next().unwrap(), fields.next().unwrap().parse::<u64>().unwrap());
        let audit = audited(&room, &hostile(name));
        let file = &audit.captures[0];
        assert!(file.packets >= least, "{name}: {} of {least} packets", file.packets);
        assert_eq!(audit.packets.values().sum::<u64>(), file.packets, "{name}: each counts once");
        seen += 1;
    }
    assert_eq!(seen, 88);
}

#[rstest]
#[case::zstd("zst", zstd)]
#[case::lz4("lz4", lz4)]
fn a_compressed_capture_gives_what_it_holds(#[case] extension: &str, #[case] compress: fn(&[u8]) -> Vec<u8>) {
    let room = Room::new();
    let plain = hostile("01-base-us-le.pcap");
    let file = room.path(&format!("packed.{extension}"));
    std::fs::write(&file, compress(&std::fs::read(&plain).unwrap())).unwrap();
    let (packed, plain) = (audited(&room, &file), audited(&room, &plain));
    assert_eq!(packed.packets, plain.packets);
    assert_eq!(packed.captures[0].unpacked_sha256, plain.captures[0].sha256);
    assert_ne!(packed.captures[0].sha256, plain.captures[0].sha256);
}

/// A frame of zstd (RFC 8878 §3.1.1) with one raw block.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let block = (length << 3 | 1).to_le_bytes();
    [&[0x28, 0xB5, 0x2F, 0xFD, 0xA0][..], &length.to_le_bytes(), &block[..3], bytes].concat()
}

/// A frame of lz4 with one block that is not compressed. The check byte is that of this descriptor.
fn lz4(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap() | 1 << 31;
    let head = [0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82];
    [&head[..], &length.to_le_bytes(), bytes, &[0; 4]].concat()
}

/// Bytes without any pattern, the same ones every time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// The head of a section, and an Ethernet interface.
fn section() -> (Vec<u8>, Vec<u8>) {
    let head = hex::decode("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000").unwrap();
    (head, hex::decode("0100000014000000010000000000040014000000").unwrap())
}

/// A block of secrets with so many lines of a key log.
fn secrets(lines: usize) -> Vec<u8> {
    let mut log = String::new();
    for n in 0..lines {
        log.push_str(&format!("CLIENT_RANDOM {n:064x} {n:096x}\n"));
    }
    let length = u32::try_from(log.len()).unwrap();
    let padded = log.len().next_multiple_of(4);
    let block = u32::try_from(padded + 20).unwrap().to_le_bytes();
    let mut body = log.into_bytes();
    body.resize(padded, 0);
    [&10_u32.to_le_bytes()[..], &block, &0x544C_534B_u32.to_le_bytes(), &length.to_le_bytes(), &body, &block]
        .concat()
}

fn pcap_header() -> Vec<u8> {
    std::fs::read(hostile("01-base-us-le.pcap")).unwrap()[..24].to_vec()
}

fn frames(count: usize, frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
    let record = [&[0; 8][..], &length, &length, frame].concat();
    [pcap_header(), record.repeat(count)].concat()
}

#[rstest]
#[case::noise(|| noise(80 * MEBIBYTE))]
#[case::zeros(|| vec![0; 80 * MEBIBYTE])]
#[case::a_head_and_noise(|| [pcap_header(), noise(20 * MEBIBYTE)].concat())]
#[case::a_head_and_zeros(|| [pcap_header(), vec![0; 20 * MEBIBYTE]].concat())]
#[case::a_section_and_noise(|| [section().0, noise(20 * MEBIBYTE)].concat())]
#[case::sections_without_end(|| section().0.repeat(1_000_000))]
#[case::interfaces_without_end(|| [section().0, section().1.repeat(1_000_000)].concat())]
#[case::secrets_without_end(|| [section().0, secrets(1).repeat(100_000)].concat())]
#[case::one_block_of_secrets(|| [section().0, secrets(90_000)].concat())]
#[case::tags_without_end(|| frames(300, &[&[0; 12][..], &[0x81, 0, 0, 1].repeat(16_000)].concat()))]
#[case::labels_without_end(|| frames(300, &[&[0; 12][..], &[0x88, 0x47], &[0, 0, 1, 0].repeat(16_000)].concat()))]
fn what_goes_on_and_on_is_bounded(#[case] make: fn() -> Vec<u8>) {
    let room = Room::new();
    let file = room.path("made.bin");
    std::fs::write(&file, make()).unwrap();
    let audit = audited(&room, &file);
    assert_eq!((audit.verdict, audit.streams.len()), (AuditVerdict::Inconclusive, 0));
    let foreign = audit.captures[0].packets == 0;
    assert!(!foreign || !audit.not_concluded.is_empty(), "what was not concluded is said");
}

#[test]
fn what_unpacks_without_end_is_left() {
    let room = Room::new();
    // One block of zstd that repeats a byte 128 KiB times takes four bytes (RFC 8878 §3.1.1.2).
    let mut bomb = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38];
    let repeat = (0x20_000_u32 << 3 | 2).to_le_bytes();
    bomb.extend([&repeat[..3], &[0]].concat().repeat(100_000));
    let file = room.path("bomb.zst");
    std::fs::write(&file, bomb).unwrap();
    let text = &audited(&room, &file).captures[0].problems[0].text;
    assert!(text.contains("neither pcap nor pcapng"), "{text}");
}

#[test]
fn a_file_that_wants_much_memory_to_unpack_is_refused() {
    let room = Room::new();
    let file = room.path("wide.zst");
    // A window of 128 MiB.
    std::fs::write(&file, [&[0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x88][..], &[1, 0, 0]].concat()).unwrap();
    let text = &audited(&room, &file).captures[0].problems[0].text;
    assert!(text.starts_with("the compressed file is damaged or cut"), "{text}");
}

#[rstest]
#[case::missing("nowhere.pcap", "nowhere.pcap cannot be read (No such file")]
#[case::a_folder(".", ". is no file; name captures, or - for standard input")]
#[case::a_device("/dev/null", "/dev/null is no file; name captures, or - for standard input")]
fn what_cannot_be_read_is_a_usage_error(#[case] name: &str, #[case] says: &str) {
    let room = Room::new();
    let good = hostile("01-base-us-le.pcap");
    let ended: Ended = bounded(&room, &[good.as_os_str(), OsStr::new(name)]).output().unwrap().into();
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
}

#[test]
fn several_captures_are_judged_in_one_call() {
    let room = Room::new();
    let names = ["01-base-us-le.pcap", "19-bad-magic.pcap", "33-multi-if-linktypes.pcapng"].map(hostile);
    let arguments: Vec<_> = names.iter().map(|path| path.as_os_str()).collect();
    let audit = audit(&bounded(&room, &arguments).output().unwrap().into());
    assert_eq!(audit.captures.iter().map(|file| file.packets).collect::<Vec<_>>(), [3, 0, 3]);
    assert_eq!(audit.captures[1].problems.len(), 1);
}

#[test]
fn standard_input_is_a_capture() {
    let room = Room::new();
    let bytes = std::fs::read(hostile("01-base-us-le.pcap")).unwrap();
    let mut command = bounded(&room, &[OsStr::new("-")]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let audit = audit(&child.wait_with_output().unwrap().into());
    assert_eq!((audit.captures[0].file.as_str(), audit.captures[0].packets), ("-", 3));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_a_capture() {
    let room = Room::new();
    assert!(Command::new("mkfifo").arg(room.path("pipe")).status().unwrap().success());
    let child = bounded(&room, &[OsStr::new("pipe")]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    std::fs::write(room.path("pipe"), std::fs::read(hostile("01-base-us-le.pcap")).unwrap()).unwrap();
    let audit = audit(&child.unwrap().wait_with_output().unwrap().into());
    assert_eq!(audit.captures[0].packets, 3);
}
