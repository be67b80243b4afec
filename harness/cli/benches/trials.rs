//! Trial decryption with wrong keys and windows, against the crypto libraries alone (design, section 7).
//!
//! Both sides work on the same packets, one right after the other. The library alone has its keys, nonces and
//! buffers ready and looks at no header; so what the judge adds is all that is measured.

#[path = "ratios/clock.rs"]
mod clock;
#[path = "ratios/median.rs"]
mod median;
#[path = "ratios/sealed.rs"]
mod sealed;
#[path = "ratios/session.rs"]
mod session;
#[path = "ratios/table.rs"]
mod table;

use std::hint::black_box;

use aes::Aes128;
use audit::sframe::{FrameOpener, Guesses, Suite};
use audit::srtp::{MasterKey, Profile, RtpOpener, fits};
use clock::timed;
use hmac::{Hmac, KeyInit, Mac};
use median::median;
use ring::aead::{Aad, LessSafeKey, Nonce};
use sha1::Sha1;
use sha2::Sha256;

/// Packets that are tried over and over.
const PACKETS: u16 = 50;
/// The right key, or as much of it as is needed.
const RIGHT: [u8; 30] = [7; 30];
/// A wrong one.
const WRONG: [u8; 30] = [9; 30];
/// Times that either side is measured.
const ROUNDS: usize = 15;
/// Seconds of processor time that a side takes in a round, more or less.
const ROUND: f64 = 0.02;

fn main() {
    table::head();
    for payload in [80, 1_000] {
        counter_mode(payload);
        galois(payload);
        sframe(payload);
    }
    windows();
}

/// Runs one side over everything once and says how much of it opened.
type Side<'a> = &'a mut dyn FnMut() -> usize;

/// Compares the speeds of the two sides, each of which makes `trials` trials, and prints the row.
fn compare(what: &str, trials: usize, ours: Side<'_>, library: Side<'_>) {
    let (once, _) = timed(|| (0..10).map(|_| library()).sum::<usize>());
    let times = (ROUND / (once / 10.0)).clamp(1.0, 1e6).round() as usize;
    let speed = |side: Side<'_>| {
        let (seconds, opened) = timed(|| (0..times).map(|_| black_box(side())).sum::<usize>());
        assert_eq!(opened, 0, "a wrong key opens nothing");
        (trials * times) as f64 / seconds
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push((speed(ours), speed(library)));
    }
    let of = |figure: fn(&(f64, f64)) -> f64| median(rounds.iter().map(figure).collect());
    table::row(what, &rate(of(|r| r.0)), &rate(of(|r| r.1)), of(|r| r.0 / r.1), 0.8..);
}

fn rate(per_second: f64) -> String {
    format!("{:.2} M/s", per_second / 1e6)
}

fn payloads(length: usize) -> impl Iterator<Item = (u16, Vec<u8>)> {
    (0..PACKETS).map(move |number| (number, vec![number.to_be_bytes()[1]; length]))
}

fn opener(profile: Profile, key: &[u8]) -> RtpOpener {
    let length = profile.key_length() + profile.salt_length();
    RtpOpener::new(&MasterKey::new(profile, &key[..length]).expect("the profile's length"))
}

/// How many packets open.
fn opened(opener: &RtpOpener, packets: &[Vec<u8>], body: &mut Vec<u8>) -> usize {
    packets.iter().filter(|packet| opener.open_into(packet, 0, body)).count()
}

fn counter_mode(length: usize) {
    let profile = Profile::AesCmSha1Tag80;
    let seal = |(number, payload): (u16, Vec<u8>)| sealed::counter_mode(&RIGHT, number, &payload);
    let packets: Vec<Vec<u8>> = payloads(length).map(seal).collect();
    let mut body = Vec::new();
    assert_eq!(opened(&opener(profile, &RIGHT), &packets, &mut body), packets.len(), "the right key fits");
    let wrong = opener(profile, &WRONG);
    let mac = Hmac::<Sha1>::new_from_slice(&WRONG[..20]).expect("any length");
    compare(
        &format!("trials of {}, {length} B", profile.name()),
        packets.len(),
        &mut || opened(&wrong, &packets, &mut body),
        &mut || packets.iter().filter(|packet| tag_fits(&mac, packet)).count(),
    );
}

fn tag_fits(mac: &Hmac<Sha1>, packet: &[u8]) -> bool {
    let (sealed, tag) = packet.split_at(packet.len() - 10);
    let mut mac = mac.clone();
    mac.update(sealed);
    mac.update(&[0; 4]);
    mac.verify_truncated_left(tag).is_ok()
}

/// What ring needs to try a packet: nonce, clear part, sealed part. It overwrites the latter, whose content makes no
/// difference to its speed.
type Ready = ([u8; 12], Vec<u8>, Vec<u8>);

fn opened_by_ring(key: &LessSafeKey, packets: &mut [Ready]) -> usize {
    let open = |(nonce, head, sealed): &mut Ready| {
        key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(&*head), sealed).is_ok()
    };
    packets.iter_mut().map(open).filter(|opened| *opened).count()
}

fn galois(length: usize) {
    let profile = Profile::AeadAes128Gcm;
    let seal = |(number, payload): (u16, Vec<u8>)| sealed::galois(&RIGHT[..28], number, &payload);
    let packets: Vec<Vec<u8>> = payloads(length).map(seal).collect();
    let mut body = Vec::new();
    assert_eq!(opened(&opener(profile, &RIGHT), &packets, &mut body), packets.len(), "the right key fits");
    let wrong = opener(profile, &WRONG);
    let key = session::gcm(&WRONG[..16]);
    let mut ready: Vec<Ready> =
        packets.iter().map(|packet| ([3; 12], packet[..12].to_vec(), packet[12..].to_vec())).collect();
    compare(
        &format!("trials of {}, {length} B", profile.name()),
        packets.len(),
        &mut || opened(&wrong, &packets, &mut body),
        &mut || opened_by_ring(&key, &mut ready),
    );
}

fn sframe(length: usize) {
    let suite = Suite::Aes128Gcm;
    let seal = |(number, payload): (u16, Vec<u8>)| {
        sealed::sframe(&RIGHT[..16], number.to_be_bytes()[1] + 8, &payload)
    };
    let frames: Vec<Vec<u8>> = payloads(length).map(seal).collect();
    let mut plain = Vec::new();
    let mut opened =
        |opener: &FrameOpener| frames.iter().filter(|frame| opener.open_into(frame, &[], &mut plain)).count();
    assert_eq!(opened(&FrameOpener::new(suite, 0, &RIGHT[..16])), frames.len(), "the right key fits");
    let wrong = FrameOpener::new(suite, 0, &WRONG[..16]);
    let key = session::gcm(&WRONG[..16]);
    let mut ready: Vec<Ready> =
        frames.iter().map(|frame| ([3; 12], frame[..2].to_vec(), frame[2..].to_vec())).collect();
    compare(
        &format!("trials of SFrame suite {}, {length} B", suite.number()),
        frames.len(),
        &mut || opened(&wrong),
        &mut || opened_by_ring(&key, &mut ready),
    );
}

/// Bytes that hold the windows: nothing in them is a key.
fn free_bytes() -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..64_u64 {
        let block = <Sha256 as sha2::Digest>::digest(number.to_be_bytes());
        bytes.extend_from_slice(&block);
    }
    bytes
}

/// Every window of the free bytes as a secret of the key schedule, tried on one packet of 80 bytes.
fn windows() {
    let bytes = free_bytes();
    windows_of_counter_mode(&bytes);
    windows_of_galois(&bytes);
    windows_of_sframe(&bytes);
}

fn windows_of_counter_mode(bytes: &[u8]) {
    let profile = Profile::AesCmSha1Tag80;
    let packet = sealed::counter_mode(&RIGHT, 5, &[1; 80]);
    let mut scratch = Vec::new();
    let mut fit = |window: &[u8]| fits(profile, &window[..16], &window[16..], &packet, 0, &mut scratch);
    assert!(fit(&RIGHT), "the right window fits");
    compare(
        &format!("windows as {}", profile.name()),
        bytes.windows(30).count(),
        &mut || bytes.windows(30).filter(|window| fit(window)).count(),
        &mut || {
            let alone = |window: &&[u8]| {
                let cipher = Aes128::new_from_slice(&window[..16]).expect("16 bytes");
                let key = sealed::authentication(&cipher, &window[16..]);
                tag_fits(&Hmac::new_from_slice(&key).expect("any length"), &packet)
            };
            bytes.windows(30).filter(alone).count()
        },
    );
}

fn windows_of_galois(bytes: &[u8]) {
    let profile = Profile::AeadAes128Gcm;
    let packet = sealed::galois(&RIGHT[..28], 5, &[1; 80]);
    let mut scratch = Vec::new();
    let mut fit = |window: &[u8]| fits(profile, &window[..16], &window[16..], &packet, 0, &mut scratch);
    assert!(fit(&RIGHT[..28]), "the right window fits");
    let (head, mut body) = (packet[..12].to_vec(), packet[12..].to_vec());
    compare(
        &format!("windows as {}", profile.name()),
        bytes.windows(28).count(),
        &mut || bytes.windows(28).filter(|window| fit(window)).count(),
        &mut || {
            let alone = |window: &&[u8]| {
                let cipher = Aes128::new_from_slice(&window[..16]).expect("16 bytes");
                let key = session::gcm(&session::derived(&cipher, &window[16..], 0, 0));
                let nonce = sealed::nonce(&session::derived(&cipher, &window[16..], 2, 0), 5);
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, Aad::from(&head), &mut body).is_ok()
            };
            bytes.windows(28).filter(alone).count()
        },
    );
}

fn windows_of_sframe(bytes: &[u8]) {
    let frame = sealed::sframe(&RIGHT[..16], 9, &[1; 80]);
    let (guesses, mut scratch) = (Guesses::default(), Vec::new());
    let mut fit = |window: &[u8]| guesses.fits(window, &frame, &mut scratch);
    assert!(fit(&RIGHT[..16]), "the right window fits");
    let extract = Hmac::<Sha256>::new_from_slice(&[]).expect("any length");
    let infos = [session::sframe_info("key", 0), session::sframe_info("salt", 0)];
    let (head, mut body) = (frame[..2].to_vec(), frame[2..].to_vec());
    compare(
        "windows as base keys of SFrame",
        bytes.windows(16).count(),
        &mut || bytes.windows(16).filter(|window| fit(window)).count(),
        &mut || {
            let alone = |window: &&[u8]| {
                let mac = |mac: &Hmac<Sha256>, text: &[u8]| {
                    let mut mac = mac.clone();
                    mac.update(text);
                    mac
                };
                let secret = mac(&extract, window).finalize().into_bytes();
                let secret = Hmac::<Sha256>::new_from_slice(&secret).expect("any length");
                let [key, salt] = infos.each_ref().map(|info| {
                    let mut mac = mac(&secret, info);
                    mac.update(&[1]);
                    mac.finalize().into_bytes()
                });
                let nonce = salt.first_chunk::<12>().expect("32 bytes");
                let nonce = Nonce::assume_unique_for_key(*nonce);
                session::gcm(&key[..16]).open_in_place(nonce, Aad::from(&head), &mut body).is_ok()
            };
            bytes.windows(16).filter(alone).count()
        },
    );
}
