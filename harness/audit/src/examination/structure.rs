//! Tells bytes with structure from bytes without: columns, pooled bytes, and what codecs look like.
//!
//! Invariant: no packet is called random or structured by itself; a window of packets is, with a figure after
//! correction. What is kept of a stream does not grow with it.

use super::codec::{Codec, Codecs};
use super::statistics::{THRESHOLD, mode, uneven};

/// Byte offsets that are looked at as columns.
const COLUMNS: usize = 12;
/// Packets of a window.
const WINDOW: usize = 128;
/// Packets below which nothing is said.
pub const ENOUGH: usize = 8;
/// The last bytes of a packet may be a tag, which is random whatever stands before it.
const TAG: usize = 16;
/// Bytes behind the columns that are pooled.
const POOLED: usize = 48;

/// The packets of one window.
#[derive(Debug, Default)]
struct Window {
    /// First packet number.
    first: u64,
    last: u64,
    /// First bytes of each packet, and how many of them count.
    heads: Vec<([u8; COLUMNS], u8)>,
    pooled: Vec<u32>,
    bytes: u64,
    codecs: Codecs,
}

/// What a stream's payloads look like so far.
#[derive(Debug, Default)]
pub struct Structure {
    window: Option<Box<Window>>,
    /// What was found, window by window.
    found: Found,
}

/// What was found in all windows of a stream.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Windows that were looked at.
    pub windows: u64,
    /// Windows with structure.
    pub structured: u64,
    /// Packets that were looked at.
    pub packets: u64,
    /// Bytes that were looked at.
    pub bytes: u64,
    /// The smallest probability of any window by chance, before correction for the number of windows.
    pub least: Option<Least>,
    /// First and last packet of the first windows with structure.
    pub where_structured: Vec<(u64, u64)>,
    /// The codec whose structure most windows have.
    pub codec: Option<Codec>,
}

/// The strongest sign of structure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Least {
    /// How likely random bytes show it.
    pub probability: f64,
    /// What it is.
    pub sign: Sign,
}

/// A sign of structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The byte at this offset has one value too often: so many of so many packets.
    Column {
        /// Bytes behind the RTP header.
        offset: usize,
        /// Packets with the most frequent value.
        same: u64,
        /// Packets that have a byte there.
        of: u64,
    },
    /// All bytes together are spread unevenly.
    Pooled {
        /// How many bytes.
        bytes: u64,
    },
    /// The packets are such as a codec makes.
    Codec(Codec),
}

impl Found {
    /// The smallest probability, corrected for the windows that were looked at.
    pub fn probability(&self) -> f64 {
        self.least.map_or(1.0, |least| (least.probability * self.windows as f64).min(1.0))
    }

    /// Whether structure was found in any window.
    pub fn is_structured(&self) -> bool {
        self.probability() < THRESHOLD
    }
}

/// One packet as it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'p> {
    /// Its number.
    pub number: u64,
    /// RTP payload type.
    pub payload_type: u8,
    /// RTP time stamp.
    pub timestamp: u32,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP marker.
    pub marker: bool,
    /// What follows the RTP header.
    pub payload: &'p [u8],
    /// A tag may stand at the end of the payload.
    pub tagged: bool,
}

impl Structure {
    /// Takes a packet in.
    pub fn take(&mut self, look: Look<'_>) {
        let window = self.window.get_or_insert_with(Box::default);
        window.take(look);
        if window.heads.len() == WINDOW {
            self.close();
        }
    }

    /// What was found in all packets.
    pub fn finish(mut self) -> Found {
        self.close();
        self.found
    }

    /// Looks at the window and forgets it.
    pub fn close(&mut self) {
        let Some(window) = self.window.take().filter(|window| !window.heads.is_empty()) else { return };
        let found = &mut self.found;
        found.packets += window.heads.len() as u64;
        found.bytes += window.bytes;
        if window.heads.len() < ENOUGH {
            return;
        }
        found.windows += 1;
        let Some(least) = window.least() else { return };
        if found.least.is_none_or(|before| least.probability < before.probability) {
            found.least = Some(least);
        }
        if least.probability < THRESHOLD {
            found.structured += 1;
            found.codec = found.codec.or_else(|| window.codecs.likeliest());
            if found.where_structured.len() < 8 {
                found.where_structured.push((window.first, window.last));
            }
        }
    }
}

impl Window {
    fn take(&mut self, look: Look<'_>) {
        if self.heads.is_empty() {
            self.first = look.number;
            self.pooled = vec![0; 256];
        }
        self.last = look.number;
        let length = look.payload.len().saturating_sub(if look.tagged { TAG } else { 0 });
        let counted = look.payload.get(..length).unwrap_or_default();
        let mut head = [0; COLUMNS];
        let columns = counted.len().min(COLUMNS);
        for (to, from) in head.iter_mut().zip(counted) {
            *to = *from;
        }
        self.heads.push((head, columns as u8));
        for byte in counted.iter().skip(COLUMNS).take(POOLED) {
            if let Some(count) = self.pooled.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
        self.bytes += counted.len() as u64;
        self.codecs.take(look);
    }

    /// The strongest sign, corrected for the places that were looked at.
    fn least(&self) -> Option<Least> {
        let columns = (0..COLUMNS).filter_map(|offset| {
            let mut counts = [0_u16; 256];
            let bytes = self.heads.iter().filter(|(_, length)| usize::from(*length) > offset);
            let mut of = 0;
            for (head, _) in bytes {
                *counts.get_mut(usize::from(*head.get(offset)?))? += 1;
                of += 1;
            }
            let same = u64::from(*counts.iter().max()?);
            let probability = mode(of, same) * COLUMNS as f64;
            (of >= ENOUGH as u64).then_some(Least { probability, sign: Sign::Column { offset, same, of } })
        });
        let counts = <&[u32; 256]>::try_from(self.pooled.as_slice()).ok();
        let pooled = counts.map(|counts| {
            let bytes = counts.iter().map(|count| u64::from(*count)).sum();
            Least { probability: uneven(counts), sign: Sign::Pooled { bytes } }
        });
        let codec = self
            .codecs
            .probability()
            .map(|(codec, probability)| Least { probability, sign: Sign::Codec(codec) });
        columns.chain(pooled).chain(codec).min_by(|a, b| a.probability.total_cmp(&b.probability))
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Bytes that nobody can tell from random ones.
    fn noise(stream: u32, packet: u32, length: usize) -> Vec<u8> {
        let block = |n: u32| {
            Sha256::digest([stream.to_be_bytes(), packet.to_be_bytes(), n.to_be_bytes()].concat()).to_vec()
        };
        (0..).flat_map(block).take(length).collect()
    }

    fn looked(packets: u32, payload: impl Fn(u32) -> Vec<u8>) -> Found {
        let mut structure = Structure::default();
        for n in 0..packets {
            structure.take(Look {
                number: u64::from(n) + 1,
                payload_type: 111,
                timestamp: 960 * n,
                sequence: n as u16,
                marker: false,
                payload: &payload(n),
                tagged: true,
            });
        }
        structure.finish()
    }

    #[test]
    fn random_bytes_have_no_structure() {
        let structured = (0..400).filter(|stream| looked(40, |n| noise(*stream, n, 76)).is_structured());
        assert_eq!(structured.count(), 0);
    }

    #[test]
    fn a_constant_first_byte_is_found_in_eight_packets() {
        let opus = |n| {
            let mut payload = noise(1, n, 76);
            payload[0] = 0x78;
            payload
        };
        assert!(!looked(7, opus).is_structured());
        let found = looked(8, opus);
        assert!(found.is_structured());
        assert_eq!(found.where_structured, [(1, 8)]);
    }

    #[test]
    fn a_tag_at_the_end_hides_nothing_and_counts_for_nothing() {
        let zero_tag = |n| {
            let mut payload = noise(2, n, 76);
            payload[60..].fill(0);
            payload
        };
        assert!(!looked(128, zero_tag).is_structured());
    }

    #[test]
    fn an_uneven_histogram_is_found_without_any_column() {
        let low = |n: u32| noise(3, n, 176).into_iter().map(|byte| byte / 2).collect();
        let found = looked(128, low);
        assert!(matches!(found.least, Some(Least { sign: Sign::Pooled { .. }, .. })), "{:?}", found.least);
        assert!(found.is_structured());
    }

    #[test]
    fn structure_amid_noise_is_found_and_has_its_place() {
        let middle = |n: u32| if (256..384).contains(&n) { vec![7; 76] } else { noise(4, n, 76) };
        let found = looked(1_000, middle);
        assert!(found.is_structured());
        assert_eq!((found.structured, found.where_structured), (1, vec![(257, 384)]));
    }
}
