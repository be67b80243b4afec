//! What the payloads of codecs look like: structure that random bytes rarely have.
//!
//! Invariant: a codec is named only by what its packets hold, never by a payload type alone.

pub mod pairs;

use super::sample::Sample;
use super::statistics::neighbours;
use crate::dissect::vp8;
use pairs::Pair;

model::words! {
    /// A codec that is known by the structure of its packets.
    pub enum Codec {
        /// Opus (RFC 6716).
        Opus = "opus",
        /// G.711, either law: a byte a sample (RFC 3551 §4.5.14).
        G711 = "g711",
        /// VP8 (RFC 7741).
        Vp8 = "vp8",
        /// VP9 (RFC 9628).
        Vp9 = "vp9",
        /// AV1 (RTP Payload Format for AV1 1.0).
        Av1 = "av1",
        /// H.264 (RFC 6184).
        H264 = "h264",
        /// Redundant audio data around some other codec (RFC 2198).
        Red = "red",
        /// Telephone events (RFC 4733).
        TelephoneEvent = "telephone-event",
    }
}

/// Packets below which no codec is named.
const ENOUGH: u32 = 8;

/// Counts of what fits a codec and by what chance random bytes would.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    fits: u32,
    tested: u32,
    /// Natural logarithm of the probability that random bytes fit as often.
    chance: f64,
    /// Whether a frame starts in any of the packets: what only goes on may be anything.
    starts: bool,
    /// So few packets fit that no further ones can make up for it.
    given_up: bool,
}

impl Tally {
    /// Takes a packet in, one of at most `most`, with what comes before it.
    fn pair(&mut self, pair: impl FnOnce() -> Pair, most: usize) {
        if self.given_up {
            return;
        }
        self.tested += 1;
        let pair = pair();
        if let Some(chance) = pair.chance {
            self.fits += 1;
            self.chance += chance.ln();
            self.starts |= pair.starts;
        } else {
            self.given_up = (self.tested - self.fits) as usize * 100 > most * 5;
        }
    }

    /// Probability by chance, where at least 95 of 100 packets fit.
    fn probability(self) -> Option<f64> {
        let fits = self.starts && !self.given_up;
        (fits && self.tested >= ENOUGH && self.fits * 100 >= self.tested * 95).then(|| {
            // The packets that do not fit may be any: at most so many choices.
            let misses = f64::from(self.tested - self.fits);
            (self.chance + misses * f64::from(self.tested).ln()).exp()
        })
    }
}

/// How well the packets of a window fit each codec.
#[derive(Debug, Default)]
pub struct Codecs {
    tallies: [Tally; Codec::ALL.len()],
    /// Packets of the window.
    most: usize,
}

impl Codecs {
    /// The codec whose structure random bytes have least often, and how often, where nearly every packet fits it. What
    /// else comes with a packet of the window is passed over.
    pub fn of<T>(window: &[(&Sample, T)]) -> Option<(Codec, f64)> {
        let mut codecs = Self { most: window.len(), ..Self::default() };
        let mut before: Option<&Sample> = None;
        for (sample, _) in window {
            let head = sample.head();
            let follows = before.filter(|before| sample.sequence == before.sequence.wrapping_add(1));
            if let Some(last) = follows {
                let ticks = sample.timestamp.wrapping_sub(last.timestamp);
                // A configuration that stays, framing that holds and a duration that is the time stamp's step: a random
                // byte agrees with the configuration once in 32.
                codecs.take(Codec::Opus, || goes_on_as_opus(last, sample, ticks), 1.0 / 32.0);
                let voice = matches!(sample.payload_type, 0 | 8) && u32::from(last.length) == ticks;
                let chance = || voice.then(|| voiced(sample)).flatten();
                codecs.pair(Codec::G711, || Pair { chance: chance(), starts: true });
                codecs.pair(Codec::Vp9, || pairs::vp9(last, sample));
                codecs.pair(Codec::Av1, || pairs::av1(last, sample));
                codecs.pair(Codec::Red, || pairs::red(last, sample));
            }
            before = Some(sample);
            codecs.take(Codec::Vp8, || vp8(head), 1.0 / 8.0);
            codecs.take(Codec::H264, || h264(head, usize::from(sample.length)), 1.0 / 8.0);
            codecs.take(Codec::TelephoneEvent, || sample.length == 4 && event(head), 1.0 / 64.0);
            if codecs.tallies.iter().all(|tally| tally.given_up) {
                return None;
            }
        }
        codecs.least()
    }

    fn take(&mut self, codec: Codec, fits: impl FnOnce() -> bool, chance: f64) {
        self.pair(codec, || Pair { chance: fits().then_some(chance), starts: true });
    }

    fn pair(&mut self, codec: Codec, pair: impl FnOnce() -> Pair) {
        if let Some(tally) = self.tallies.get_mut(codec as usize) {
            tally.pair(pair, self.most);
        }
    }

    fn least(&self) -> Option<(Codec, f64)> {
        let of = |(codec, tally): (&Codec, &Tally)| Some((*codec, tally.probability()?));
        let all = Codec::ALL.iter().zip(&self.tallies).filter_map(of);
        all.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(codec, p)| (codec, p * Codec::ALL.len() as f64))
    }
}

fn goes_on_as_opus(last: &Sample, sample: &Sample, ticks: u32) -> bool {
    let duration = |sample: &Sample| opus(sample.head(), usize::from(sample.length));
    let config = |sample: &Sample| sample.head().first().map(|toc| toc >> 3);
    config(last) == config(sample) && duration(last) == Some(ticks) && duration(sample).is_some()
}

/// By what chance random bytes have as many neighbours alike as voice has in any packet: one pair in eight. Full-scale
/// noise has one in six, speech and tones more.
fn voiced(sample: &Sample) -> Option<f64> {
    let (alike, pairs) = sample.neighbours();
    (pairs > 0 && alike * 8 >= pairs).then(|| neighbours(pairs, pairs.div_ceil(8)))
}

/// Samples at 48 kHz that an Opus packet of `length` bytes lasts, if its framing is sound (RFC 6716 §3.1, §3.2); `head`
/// is how it begins.
pub fn opus(head: &[u8], length: usize) -> Option<u32> {
    let (toc, rest) = head.split_first()?;
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1_920, 2_880][usize::from(config % 4)],
        config @ 12..=15 => [480, 960][usize::from(config % 2)],
        config => [120, 240, 480, 960][usize::from(config % 4)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 => (length - 1).is_multiple_of(2).then_some(2)?,
        2 => {
            let (first, used) = frame_length(rest)?;
            (first + used < length).then_some(2)?
        }
        _ => {
            let count = u32::from(rest.first()? & 0x3F);
            (1..=48).contains(&count).then_some(count)?
        }
    };
    // At most 120 ms (RFC 6716 §3.2.5).
    (frame * frames <= 5_760).then_some(frame * frames)
}

/// A frame's length in one or two bytes (RFC 6716 §3.2.1), and how many bytes it took.
fn frame_length(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes {
        [first @ 0..=251, ..] => Some((usize::from(first), 1)),
        [first, second, ..] => Some((usize::from(second) * 4 + usize::from(first), 2)),
        _ => None,
    }
}

/// A payload descriptor with its reserved bits zero, and a frame header where a frame starts (RFC 7741 §4.2, §4.3).
fn vp8(payload: &[u8]) -> bool {
    let Some(descriptor) = vp8::Descriptor::parse(payload).filter(|descriptor| descriptor.sound) else {
        return false;
    };
    let frame = payload.get(descriptor.length..).unwrap_or_default();
    !descriptor.starts_frame() || vp8::FrameStart::parse(frame).is_some()
}

/// A NAL unit header or a fragment that H.264 has (RFC 6184 §5.2, §5.8).
fn h264(head: &[u8], length: usize) -> bool {
    let [first, rest @ ..] = head else { return false };
    let (forbidden, reference, kind) = (first & 0x80, first >> 5 & 3, first & 0x1F);
    if forbidden != 0 {
        return false;
    }
    match kind {
        1 | 6 | 9 => true,
        5 | 7 | 8 => reference != 0,
        24 => rest.first_chunk::<2>().is_some_and(|n| usize::from(u16::from_be_bytes(*n)) + 1 < length),
        28 => {
            rest.first().is_some_and(|fu| fu & 0x20 == 0 && fu & 0xC0 != 0xC0 && matches!(fu & 0x1F, 1 | 5))
        }
        _ => false,
    }
}

/// Four bytes: an event of the registry, a zero bit, a volume and a duration (RFC 4733 §2.3).
fn event(payload: &[u8]) -> bool {
    matches!(payload, [0..=16, volume, _, _] if volume & 0x40 == 0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::examination::sample::Look;

    #[rstest]
    #[case::silk_20_ms(&[0x08, 1, 2], Some(960))]
    #[case::celt_20_ms(&[0xF8, 0xFF, 0xFE], Some(960))]
    #[case::hybrid_10_ms(&[0x60, 1], Some(480))]
    #[case::two_frames_of_one_size(&[0xF9, 1, 2], Some(1_920))]
    #[case::two_frames_of_odd_bytes(&[0xF9, 1, 2, 3], None)]
    #[case::two_frames_with_a_length(&[0xFA, 1, 2, 3], Some(1_920))]
    #[case::length_past_the_end(&[0xFA, 9, 2, 3], None)]
    #[case::three_frames(&[0xFB, 3, 1, 2, 3], Some(2_880))]
    #[case::no_frames(&[0xFB, 0], None)]
    #[case::too_long(&[0x1B, 3, 1], None)]
    #[case::nothing(&[], None)]
    fn an_opus_packet_has_a_duration(#[case] payload: &[u8], #[case] samples: Option<u32>) {
        assert_eq!(opus(payload, payload.len()), samples);
    }

    #[rstest]
    #[case::key_frame(&[0x10, 0x50, 0x1B, 0, 0x9D, 0x01, 0x2A, 0], true)]
    #[case::key_frame_without_its_start_code(&[0x10, 0x50, 0x1B, 0, 0x9D, 0x01, 0x2B, 0], false)]
    #[case::interframe(&[0x10, 0x51, 0x1B], true)]
    #[case::continuation(&[0x00, 0xAA], true)]
    #[case::picture_id(&[0x90, 0x80, 0x85, 0x01, 0x51], true)]
    #[case::reserved_bit(&[0x48, 0xAA], false)]
    #[case::empty(&[], false)]
    fn a_vp8_payload_has_a_descriptor(#[case] payload: &[u8], #[case] fits: bool) {
        assert_eq!(vp8(payload), fits);
    }

    #[rstest]
    #[case::slice(&[0x61, 1], true)]
    #[case::parameter_set(&[0x67, 0x42], true)]
    #[case::start_of_a_fragment(&[0x7C, 0x85], true)]
    #[case::start_and_end_at_once(&[0x7C, 0xC5], false)]
    #[case::forbidden_bit(&[0xE1, 1], false)]
    #[case::unknown_kind(&[0x7F, 1], false)]
    fn an_h264_payload_has_a_unit_header(#[case] payload: &[u8], #[case] fits: bool) {
        assert_eq!(h264(payload, payload.len()), fits);
    }

    #[test]
    fn packets_of_opus_are_called_opus() {
        let samples: Vec<Sample> = (0..20_u16)
            .map(|n| {
                let payload = [&[0x78], &[n as u8; 40][..]].concat();
                Sample::of(&Look {
                    number: 1,
                    payload_type: 111,
                    timestamp: 960 * u32::from(n),
                    sequence: n,
                    marker: false,
                    extension: 0,
                    payload: &payload,
                    tagged: false,
                })
            })
            .collect();
        let (codec, probability) =
            Codecs::of(&samples.iter().map(|sample| (sample, ())).collect::<Vec<_>>()).expect("a codec");
        assert!(codec == Codec::Opus && probability < 1e-9, "{codec} {probability}");
    }
}
