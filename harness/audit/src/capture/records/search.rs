//! The search for the next sound record behind damage.

/// Magic numbers of gzip, zstd and lz4 frames, as they stand in a file.
const COMPRESSED: [&[u8]; 3] = [&[0x1F, 0x8B], &[0x28, 0xB5, 0x2F, 0xFD], &[0x04, 0x22, 0x4D, 0x18]];

/// Whether the bytes begin like a compressed file.
pub(super) fn is_compressed(bytes: &[u8]) -> bool {
    COMPRESSED.iter().any(|magic| bytes.starts_with(magic))
}

/// Where the next sound record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// So many bytes behind the start of the window.
    At(usize),
    /// Not in the first `passed` bytes; a candidate at that place needs a window of `more` bytes from there.
    Need {
        /// Bytes that hold none.
        passed: usize,
        /// Bytes that the window must hold when it begins there.
        more: usize,
    },
    /// Nowhere up to the end of the file.
    Nowhere,
}

/// Tries every place of the window. `sound` answers whether a record begins at the start of the bytes, or how many
/// bytes it must see to tell.
pub(super) fn first(window: &[u8], last: bool, sound: impl Fn(&[u8]) -> Result<bool, usize>) -> Found {
    for at in 0..window.len() {
        let Some(rest) = window.get(at..) else { break };
        match sound(rest) {
            Ok(true) => return Found::At(at),
            Ok(false) => {}
            Err(_) if last => {}
            Err(more) => return Found::Need { passed: at, more },
        }
    }
    if last { Found::Nowhere } else { Found::Need { passed: window.len(), more: 1 } }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Sound is what begins with `ab`.
    fn look(bytes: &[u8], last: bool) -> Found {
        first(bytes, last, |rest| match rest {
            [b'a'] => Err(2),
            _ => Ok(rest.starts_with(b"ab")),
        })
    }

    #[rstest]
    #[case::at_once(b"abx", false, Found::At(0))]
    #[case::later(b"xxab", false, Found::At(2))]
    #[case::more_is_needed(b"xxa", false, Found::Need { passed: 2, more: 2 })]
    #[case::not_yet(b"xx", false, Found::Need { passed: 2, more: 1 })]
    #[case::never(b"xxa", true, Found::Nowhere)]
    fn the_first_sound_place_is_found(#[case] bytes: &[u8], #[case] last: bool, #[case] found: Found) {
        assert_eq!(look(bytes, last), found);
    }
}
