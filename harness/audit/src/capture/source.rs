//! The bytes of a capture on their way in: unpacked where it is compressed, and hashed as received and as unpacked.
//!
//! Invariant: what unpacks to far more than its size is read up to a bound and no further.

use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{Context, SHA256};

/// Bytes that may always be unpacked.
const FREE: u64 = 8 << 20;
/// How many bytes each received byte may unpack to beyond that. Captures of telephony pack to about a half; gzip can
/// reach 1,030 with nothing but zeros.
const RATIO: u64 = 200;
/// Binary logarithm of the longest window of zstd in bytes: what it asks for is kept in memory. 2^25 is 32 MiB, more
/// than any level below 21 asks for.
const WINDOW_LOG: u32 = 25;
/// The longest magic number of a compressed format.
const MAGIC: usize = 4;

/// The file as received.
struct File<R> {
    inner: R,
    hash: Option<Context>,
}

/// Counts and hashes what is read through it.
struct Counted<R> {
    file: Arc<Mutex<File<R>>>,
    received: Arc<AtomicU64>,
}

impl<R> Clone for Counted<R> {
    fn clone(&self) -> Self {
        Self { file: Arc::clone(&self.file), received: Arc::clone(&self.received) }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let length = file.inner.read(buffer)?;
        self.received.fetch_add(length as u64, Ordering::Relaxed);
        if let Some(hash) = file.hash.as_mut() {
            hash.update(buffer.get(..length).unwrap_or_default());
        }
        Ok(length)
    }
}

enum Packing<R> {
    None(R),
    Packed(Box<dyn Read + Send>),
}

/// A capture that is being read.
pub struct Source<R: Read + Send + 'static> {
    packing: Packing<Rest<R>>,
    counted: Counted<R>,
    given: u64,
    unpacked: Option<Context>,
    /// What stopped the unpacking, if anything did.
    pub trouble: Option<String>,
}

/// The first bytes again, then the others.
type Rest<R> = io::Chain<io::Cursor<Vec<u8>>, BufReader<Counted<R>>>;

/// SHA-256 of a file, 32 bytes each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashes {
    /// As received; none where it was left out.
    pub received: Option<Vec<u8>>,
    /// As unpacked, where it was compressed.
    pub unpacked: Option<Vec<u8>>,
}

impl<R: Read + Send + 'static> Source<R> {
    /// Looks at the first bytes of `inner` and unpacks gzip, zstd and lz4 frames; `hash`: hash what is read.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn open(inner: R, hash: bool) -> io::Result<Self> {
        let context = || hash.then(|| Context::new(&SHA256));
        let file = Arc::new(Mutex::new(File { inner, hash: context() }));
        let counted = Counted { file, received: Arc::default() };
        let mut rest = BufReader::with_capacity(1 << 16, counted.clone());
        let mut head = Vec::with_capacity(MAGIC);
        rest.by_ref().take(MAGIC as u64).read_to_end(&mut head)?;
        let magic = head.clone();
        let rest = io::Cursor::new(head).chain(rest);
        let packing = match magic.as_slice() {
            [0x1F, 0x8B, ..] => Packing::Packed(Box::new(flate2::read::MultiGzDecoder::new(rest))),
            [0x28, 0xB5, 0x2F, 0xFD] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(rest)?;
                decoder.window_log_max(WINDOW_LOG)?;
                Packing::Packed(Box::new(decoder))
            }
            [0x04, 0x22, 0x4D, 0x18] => Packing::Packed(Box::new(lz4_flex::frame::FrameDecoder::new(rest))),
            _ => Packing::None(rest),
        };
        let unpacked = if matches!(packing, Packing::Packed(_)) { context() } else { None };
        Ok(Self { packing, counted, given: 0, unpacked, trouble: None })
    }

    /// Fills as much of `buffer` as there is; 0 at the end, or where unpacking ends for the reason in
    /// [`trouble`](Self::trouble).
    ///
    /// # Errors
    /// When the file itself cannot be read.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let packed = match &mut self.packing {
            Packing::None(plain) => return retried(plain, buffer),
            Packing::Packed(packed) => packed,
        };
        if self.trouble.is_some() {
            return Ok(0);
        }
        let received = self.counted.received.load(Ordering::Relaxed);
        if self.given > FREE + RATIO * received {
            self.trouble =
                Some(format!("the file unpacks to more than {RATIO} times its size and was left there"));
            return Ok(0);
        }
        match retried(packed, buffer) {
            Ok(length) => {
                self.given += length as u64;
                if let Some(hash) = self.unpacked.as_mut() {
                    hash.update(buffer.get(..length).unwrap_or_default());
                }
                Ok(length)
            }
            Err(error) => {
                self.trouble = Some(format!("the compressed file is damaged or cut ({error})"));
                Ok(0)
            }
        }
    }

    /// Reads what is left of the file for its hash, and gives both hashes.
    ///
    /// # Errors
    /// When the file itself cannot be read.
    pub fn finish(mut self) -> io::Result<Hashes> {
        let hashed = |context: Option<Context>| context.map(|context| context.finish().as_ref().to_vec());
        // What the buffer still holds was hashed on its way in.
        drop(self.packing);
        let wanted =
            |counted: &Counted<R>| counted.file.lock().unwrap_or_else(PoisonError::into_inner).hash.is_some();
        if wanted(&self.counted) {
            io::copy(&mut self.counted, &mut io::sink())?;
        }
        let received = self.counted.file.lock().unwrap_or_else(PoisonError::into_inner).hash.take();
        Ok(Hashes { received: hashed(received), unpacked: hashed(self.unpacked) })
    }
}

fn retried(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rstest::rstest;
    use sha2::{Digest, Sha256};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(bytes, 3).expect("memory")
    }

    fn lz4(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn plain(bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }

    /// Bytes that do not pack well.
    fn noise() -> Vec<u8> {
        (0_u32..2_000).flat_map(|n| <[u8; 32]>::from(Sha256::digest(n.to_be_bytes()))).collect()
    }

    fn read(bytes: Vec<u8>) -> (Vec<u8>, Option<String>, Hashes) {
        let mut source = Source::open(io::Cursor::new(bytes), true).expect("memory");
        let (mut all, mut piece) = (Vec::new(), vec![0; 10_000]);
        loop {
            let length = source.read(&mut piece).expect("memory");
            if length == 0 {
                break;
            }
            all.extend_from_slice(&piece[..length]);
        }
        let trouble = source.trouble.clone();
        (all, trouble, source.finish().expect("memory"))
    }

    #[rstest]
    #[case::plain(plain, false)]
    #[case::gzip(gzip, true)]
    #[case::zstd(zstd, true)]
    #[case::lz4(lz4, true)]
    fn a_file_is_unpacked_and_hashed_twice(#[case] pack: fn(&[u8]) -> Vec<u8>, #[case] packed: bool) {
        let file = pack(&noise());
        let (bytes, trouble, hashes) = read(file.clone());
        assert_eq!((bytes == noise(), trouble), (true, None));
        assert_eq!(hashes.received, Some(Sha256::digest(&file).to_vec()));
        assert_eq!(hashes.unpacked, packed.then(|| Sha256::digest(noise()).to_vec()));
    }

    #[test]
    fn several_members_of_gzip_are_one_file() {
        let mut file = gzip(b"one");
        file.extend(gzip(b"two"));
        assert_eq!(read(file).0, b"onetwo");
    }

    #[rstest]
    #[case::gzip(gzip)]
    #[case::zstd(zstd)]
    #[case::lz4(lz4)]
    fn of_a_cut_file_the_first_part_is_given_and_the_whole_is_hashed(#[case] pack: fn(&[u8]) -> Vec<u8>) {
        let mut file = pack(&noise());
        file.truncate(file.len() / 2);
        let (bytes, trouble, hashes) = read(file.clone());
        assert!(noise().starts_with(&bytes));
        assert!(trouble.expect("told").starts_with("the compressed file is damaged or cut"));
        assert_eq!(hashes.received, Some(Sha256::digest(&file).to_vec()));
    }

    #[rstest]
    #[case::gzip(gzip)]
    #[case::zstd(zstd)]
    fn a_bomb_is_left_at_a_bound(#[case] pack: fn(&[u8]) -> Vec<u8>) {
        let file = pack(&vec![0; 80 << 20]);
        let (bytes, trouble, hashes) = read(file.clone());
        assert!(bytes.len() < 40 << 20, "{} bytes", bytes.len());
        assert!(trouble.expect("told").starts_with("the file unpacks to more than 200 times its size"));
        assert_eq!(hashes.received, Some(Sha256::digest(&file).to_vec()));
    }

    #[test]
    fn without_hashes_nothing_is_hashed() {
        let source = Source::open(io::Cursor::new(noise()), false).expect("memory");
        assert_eq!(source.finish().expect("memory"), Hashes::default());
    }
}
