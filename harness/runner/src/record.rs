//! Writes `record.jsonl`, line by line, each handed to the system before the next.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use model::record::{Header, Line};

/// The run record while it is being written.
#[derive(Debug)]
pub struct RecordFile {
    file: File,
}

impl RecordFile {
    /// Begins the record in a file that must not be there yet.
    ///
    /// # Errors
    /// When the file is there or cannot be written.
    pub fn begin(path: &Path, header: &Header) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let mut record = Self { file };
        record.write(&Line::Header(header.clone()))?;
        Ok(record)
    }

    /// Adds one line.
    ///
    /// # Errors
    /// When it cannot be written; the lines before it stay readable.
    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }

    /// Ends the record: only now the run is whole.
    ///
    /// # Errors
    /// When the end cannot be written.
    pub fn end(mut self) -> io::Result<()> {
        self.write(&Line::End { end: true })
    }
}

#[cfg(test)]
mod tests {
    use model::plan::NetKind;
    use model::record::{Record, SCHEMA, Tool};

    use super::*;

    fn header() -> Header {
        Header {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "overheard".to_owned(), version: "0".to_owned() },
            seed: "0".to_owned(),
            net: NetKind::Memory,
            planned: vec!["a/b".to_owned()],
            shard: None,
        }
    }

    #[test]
    fn a_record_is_partial_until_it_is_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.jsonl");
        let record = RecordFile::begin(&path, &header()).expect("begun");
        let read = || Record::parse(&std::fs::read_to_string(&path).expect("readable")).expect("a record");
        assert!(read().partial);
        record.end().expect("ended");
        assert!(!read().partial);
        assert!(RecordFile::begin(&path, &header()).is_err(), "an old record is never overwritten");
    }
}
