//! Reads captures back with a reader made by others; other tests use it to see what was recorded.

use std::sync::{Arc, Mutex};

use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{Block, PcapBlockOwned, PcapError, PcapNGReader, pcapng::PcapNGOption};

use super::*;

mod tshark;

/// A place for a capture that tests can read while it is written.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Vec<u8>>>);

impl Shelf {
    pub(crate) fn capture(&self) -> CaptureFile {
        CaptureFile::new(Box::new(self.clone()))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("no test panics while it writes").clone()
    }
}

impl Write for Shelf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics while it writes").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One packet as it was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) tap: String,
    pub(crate) time_ns: u64,
    pub(crate) frame: Vec<u8>,
    pub(crate) comment: Option<String>,
}

impl Packet {
    /// The UDP or TCP payload, after the lengths and checksums of all headers were found right.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let packet = etherparse::PacketHeaders::from_ethernet_slice(&self.frame).expect("an Ethernet frame");
        let Some(etherparse::NetHeaders::Ipv4(ip, _)) = &packet.net else { panic!("no IPv4 in {self:?}") };
        assert_eq!(ip.header_checksum, ip.calc_header_checksum());
        let payload = packet.payload.slice();
        match &packet.transport {
            Some(etherparse::TransportHeader::Udp(udp)) => {
                assert_eq!(Ok(udp.checksum), udp.calc_checksum_ipv4(ip, payload));
            }
            Some(etherparse::TransportHeader::Tcp(tcp)) => {
                assert_eq!(Ok(tcp.checksum), tcp.calc_checksum_ipv4(ip, payload));
            }
            other => panic!("neither UDP nor TCP: {other:?}"),
        }
        payload.to_vec()
    }

    pub(crate) fn tcp(&self) -> Option<etherparse::TcpHeader> {
        etherparse::PacketHeaders::from_ethernet_slice(&self.frame)
            .expect("an Ethernet frame")
            .transport?
            .tcp()
    }
}

/// The packets of a capture, up to the end or to where it was cut.
pub(crate) fn packets(bytes: &[u8]) -> Vec<Packet> {
    let mut reader = PcapNGReader::new(1 << 17, bytes).expect("a section header");
    let (mut taps, mut packets) = (Vec::new(), Vec::new());
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                if let PcapBlockOwned::NG(block) = block {
                    read(&block, &mut taps, &mut packets);
                }
                reader.consume(offset);
            }
            Err(PcapError::Incomplete(_)) => {
                if reader.reader_exhausted() {
                    return packets;
                }
                reader.refill().expect("memory can be read");
            }
            Err(PcapError::Eof | PcapError::UnexpectedEof) => return packets,
            Err(error) => panic!("not a capture: {error}"),
        }
    }
}

fn read(block: &Block<'_>, taps: &mut Vec<String>, packets: &mut Vec<Packet>) {
    match block {
        Block::SectionHeader(header) => assert!(!header.big_endian()),
        Block::InterfaceDescription(interface) => {
            assert_eq!(interface.if_tsresol, 9);
            let name = interface.if_name().expect("a name").expect("UTF-8");
            taps.push(name.to_owned());
        }
        Block::EnhancedPacket(packet) => {
            assert_eq!(packet.caplen, packet.origlen);
            let comment = packet.options.iter().find_map(PcapNGOption::as_str_of_comment);
            packets.push(Packet {
                tap: taps[packet.if_id as usize].clone(),
                time_ns: u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low),
                frame: packet.data[..packet.caplen as usize].to_vec(),
                comment,
            });
        }
        other => panic!("a block that is never written: {other:?}"),
    }
}

trait Comment {
    fn as_str_of_comment(&self) -> Option<String>;
}

impl Comment for PcapNGOption<'_> {
    fn as_str_of_comment(&self) -> Option<String> {
        let text = (self.code.0 == OPTION_COMMENT).then(|| self.value.get(..usize::from(self.len)))??;
        Some(String::from_utf8(text.to_vec()).expect("UTF-8"))
    }
}

#[test]
fn interfaces_times_frames_and_comments_are_read_back() {
    let shelf = Shelf::default();
    let mut capture = shelf.capture();
    assert_eq!(capture.add_interface("alice@contoso.example"), 0);
    capture.packet(0, 1_700_000_000_123_456_789, &[1; 60], None);
    assert_eq!(capture.add_interface("forwarder"), 1);
    capture.packet(1, 1_700_000_000_123_456_790, &[2; 61], Some("made by overheard"));
    capture.finish().expect("memory can be written");
    let expected = |tap: &str, time_ns, byte, length, comment: Option<&str>| Packet {
        tap: tap.to_owned(),
        time_ns,
        frame: vec![byte; length],
        comment: comment.map(str::to_owned),
    };
    assert_eq!(
        packets(&shelf.bytes()),
        [
            expected("alice@contoso.example", 1_700_000_000_123_456_789, 1, 60, None),
            expected("forwarder", 1_700_000_000_123_456_790, 2, 61, Some("made by overheard")),
        ]
    );
}

#[test]
fn an_unfinished_capture_holds_all_but_the_last_64_kib() {
    let shelf = Shelf::default();
    let mut capture = shelf.capture();
    capture.add_interface("alice@contoso.example");
    for n in 0..1_000 {
        capture.packet(0, n, &[7; 1_000], None);
    }
    // As when the process is killed: neither `finish` nor `drop` runs.
    std::mem::forget(capture);
    let bytes = shelf.bytes();
    let whole = packets(&bytes).len();
    assert!((930..1_000).contains(&whole), "{whole} of 1000 packets");
    // A write that the system cut in the middle of a block costs that block alone.
    assert_eq!(packets(&bytes[..bytes.len() - 10]).len(), whole - 1);
}

#[test]
fn a_slow_capture_is_handed_over_every_second() {
    let shelf = Shelf::default();
    let mut capture = shelf.capture();
    capture.add_interface("alice@contoso.example");
    capture.packet(0, 5_000_000_000, &[7; 60], None);
    capture.packet(0, 5_500_000_000, &[7; 60], None);
    assert_eq!(packets(&shelf.bytes()).len(), 1);
    capture.packet(0, 6_000_000_000, &[7; 60], None);
    assert_eq!(packets(&shelf.bytes()).len(), 3);
}

#[test]
fn a_dropped_capture_is_whole() {
    let shelf = Shelf::default();
    let mut capture = shelf.capture();
    capture.add_interface("alice@contoso.example");
    capture.packet(0, 1, &[7; 60], None);
    drop(capture);
    assert_eq!(packets(&shelf.bytes()).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_shows_at_the_end_each_time() {
    let mut capture = CaptureFile::create(Path::new("/dev/full")).expect("the device is there");
    capture.add_interface("alice@contoso.example");
    for n in 0..1_000 {
        capture.packet(0, n, &[7; 1_000], None);
    }
    for _ in 0..2 {
        assert_eq!(capture.finish().expect_err("a full disk").kind(), io::ErrorKind::StorageFull);
    }
}

#[test]
fn a_folder_that_is_not_there_shows_at_the_start() {
    let error = CaptureFile::create(Path::new("/nowhere/at/all.pcapng")).expect_err("no such folder");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}
