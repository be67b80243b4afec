//! A capture of a thousand calls at once: STUN, handshakes, and media that look random.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Calls that go on at the same time.
const CALLS: u32 = 1_000;

/// Numbers that look random (xorshift, Marsaglia 2003), the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn fill(&mut self, length: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(length);
        bytes
    }
}

/// Writes a classic pcap of so many packets, each call's directions in turn; a quarter of the packets is audio.
pub fn write(path: &Path, packets: u32) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let head: [u32; 6] = [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, 1];
    out.write_all(&head.map(u32::to_le_bytes).concat()).expect("a disk with room");
    for number in 0..packets {
        let (call, round) = (number / 2 % CALLS, number / (2 * CALLS));
        let payload = payload(call, number % 2, round, &mut noise);
        let frame = frame(call, number % 2 == 0, &payload);
        let (length, us) = (frame.len() as u32, number * 13);
        let record = [1_700_000_000 + us / 1_000_000, us % 1_000_000, length, length];
        out.write_all(&record.map(u32::to_le_bytes).concat()).expect("a disk with room");
        out.write_all(&frame).expect("a disk with room");
    }
    out.flush().expect("a disk with room");
}

fn payload(call: u32, way: u32, round: u32, noise: &mut Noise) -> Vec<u8> {
    match round {
        0..3 => [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &noise.fill(12)].concat(),
        3..5 => [&[22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 0, 0, 100][..], &noise.fill(100)].concat(),
        _ if round.is_multiple_of(60) => [&[0x80, 200, 0, 6][..], &noise.fill(50)].concat(),
        _ => {
            let video = u32::from(!round.is_multiple_of(4));
            let (kind, length) = if video == 1 { (96, 1_000) } else { (111, 80) };
            let ssrc = call << 8 | way << 1 | video;
            let mut packet = vec![0x80, kind];
            packet.extend((round as u16).to_be_bytes());
            packet.extend((round * 960).to_be_bytes());
            packet.extend(ssrc.to_be_bytes());
            packet.extend(noise.fill(length));
            packet
        }
    }
}

/// Ethernet, IPv4 for three calls of five and IPv6 for the others, and UDP without checksums.
fn frame(call: u32, forth: bool, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() + 8) as u16;
    let port = (20_000 + call % 40_000) as u16;
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let (near, far) = ([10, 1, (call >> 8) as u8, call as u8], [10, 2, (call >> 8) as u8, call as u8]);
    let (from, to) = if forth { (near, far) } else { (far, near) };
    if call % 5 < 3 {
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((length + 20).to_be_bytes());
        frame.extend([0, 7, 0, 0, 64, 17, 0, 0]);
        frame.extend([from, to].concat());
    } else {
        frame.extend([0x86, 0xDD, 0x60, 0, 0, 0]);
        frame.extend(length.to_be_bytes());
        frame.extend([17, 64]);
        for end in [from, to] {
            frame.extend([0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0]);
            frame.extend(end);
        }
    }
    frame.extend(port.to_be_bytes());
    frame.extend((port + 1).to_be_bytes());
    frame.extend(length.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}
