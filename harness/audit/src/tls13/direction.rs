//! One direction of a connection: which record opens under which epoch, and where its plaintext
//! went.

use std::collections::VecDeque;
use std::ops::Range;

use super::keys::{CipherSuite, RecordKeys};
use super::record::{ALERT, APPLICATION_DATA, HANDSHAKE, Record, Records, handshake_message};

const KEY_UPDATE: u8 = 24;
const CLOSE_NOTIFY: u8 = 0;

/// What one side sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// The application data, one record's after the other's.
    pub data: Vec<u8>,
    /// The records that hold it, in the order of the stream.
    pub records: Vec<OpenedRecord>,
    /// Handshake messages and alerts that were opened: how many records.
    pub other_records: usize,
    /// Protected records that no secret opened: offsets in the stream.
    pub unopened: Vec<Range<usize>>,
    /// Where the whole records end; bytes after it belong to a record that is cut short, or to no
    /// record.
    pub end_of_records: usize,
    /// Whether the side has said that it sends no more (`close_notify`).
    pub closed: bool,
    /// Whether there was no TLS at all.
    in_the_clear: bool,
}

/// A record of application data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRecord {
    /// Offsets in the stream, header and tag included.
    pub wire: Range<usize>,
    /// Offsets in [`Direction::data`]; empty for a record without data.
    pub data: Range<usize>,
    /// Zero bytes that the sender added inside the seal, a place to hide nothing but a length.
    pub padding: usize,
}

impl Direction {
    /// Opens a stream under `secrets`, in the order in which their epochs follow each other. An
    /// epoch begins with the first record that opens under it, and none before it comes back; so a
    /// missing secret costs its own records and no others.
    pub(super) fn open<'a>(
        suite: CipherSuite,
        stream: &[u8],
        secrets: impl Iterator<Item = &'a Vec<u8>>,
    ) -> Self {
        let mut opening = Opening {
            coming: secrets.filter_map(|secret| RecordKeys::new(suite, secret)).collect(),
            current: None,
            handshake: Vec::new(),
            opened: Self::default(),
        };
        let mut records = Records::of(stream);
        for record in records.by_ref() {
            if record.content_type == APPLICATION_DATA {
                opening.take(record);
            }
        }
        opening.opened.end_of_records = records.position();
        opening.opened
    }

    /// A stream that was sent without TLS: its bytes are the data.
    pub fn in_the_clear(stream: &[u8]) -> Self {
        Self { data: stream.to_vec(), end_of_records: stream.len(), in_the_clear: true, ..Self::default() }
    }

    /// The bytes of the stream that carry `data`, a range of [`Direction::data`]: whole records.
    /// None when the range is empty or reaches beyond the data.
    pub fn wire_of(&self, data: Range<usize>) -> Option<Range<usize>> {
        if data.is_empty() {
            return None;
        }
        if self.in_the_clear {
            return Some(data).filter(|data| data.end <= self.data.len());
        }
        let record_with = |at: usize| {
            let index = self.records.partition_point(|record| record.data.end <= at);
            self.records.get(index).filter(|record| record.data.contains(&at))
        };
        Some(record_with(data.start)?.wire.start..record_with(data.end - 1)?.wire.end)
    }
}

/// A direction while it is being opened.
struct Opening {
    coming: VecDeque<RecordKeys>,
    current: Option<RecordKeys>,
    /// Handshake bytes of the current epoch that make no whole message yet.
    handshake: Vec<u8>,
    opened: Direction,
}

impl Opening {
    fn take(&mut self, record: Record<'_>) {
        let Some(mut inner) = self.unseal(&record) else {
            self.opened.unopened.push(record.wire);
            return;
        };
        let sealed_length = inner.len();
        while inner.last() == Some(&0) {
            inner.pop();
        }
        let padding = sealed_length - inner.len();
        match inner.pop() {
            Some(APPLICATION_DATA) => {
                let start = self.opened.data.len();
                self.opened.data.append(&mut inner);
                let data = start..self.opened.data.len();
                self.opened.records.push(OpenedRecord { wire: record.wire, data, padding });
            }
            Some(HANDSHAKE) => {
                self.opened.other_records += 1;
                self.handshake.append(&mut inner);
                self.follow_key_updates();
            }
            Some(ALERT) => {
                self.opened.other_records += 1;
                self.opened.closed |= inner.get(1) == Some(&CLOSE_NOTIFY);
            }
            _ => self.opened.other_records += 1,
        }
    }

    /// Tries the current epoch and then each that may follow.
    fn unseal(&mut self, record: &Record<'_>) -> Option<Vec<u8>> {
        if let Some(plain) = self.current.as_mut().and_then(|keys| keys.open(record.header, record.body)) {
            return Some(plain);
        }
        let mut coming = self.coming.iter_mut().enumerate();
        let (index, plain) =
            coming.find_map(|(index, keys)| Some((index, keys.open(record.header, record.body)?)))?;
        self.coming.drain(..index);
        self.current = self.coming.pop_front();
        self.handshake.clear();
        Some(plain)
    }

    fn follow_key_updates(&mut self) {
        while let Some((kind, _, length)) = handshake_message(&self.handshake) {
            self.handshake.drain(..length);
            if kind == KEY_UPDATE {
                self.current = self.current.as_ref().and_then(RecordKeys::next);
            }
        }
    }
}
