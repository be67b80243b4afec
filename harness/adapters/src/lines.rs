//! Lines of bounded length from a program's output.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::protocol::LONGEST_LINE;

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A line without its end.
    Line(Vec<u8>),
    /// A line beyond the bound; what follows it is not read.
    TooLong,
    /// Nothing more.
    End,
}

/// Reads up to the next line feed; a last line without one counts.
pub(crate) async fn next(output: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Next> {
    let mut line = Vec::new();
    loop {
        let chunk = output.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(if line.is_empty() { Next::End } else { Next::Line(line) });
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(chunk.len());
        line.extend_from_slice(chunk.get(..taken).unwrap_or_default());
        output.consume(taken + usize::from(end.is_some()));
        if line.len() > LONGEST_LINE {
            return Ok(Next::TooLong);
        }
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Next::Line(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_end_at_line_feeds_and_at_the_end() {
        let mut output: &[u8] = b"a\r\n\nb";
        assert_eq!(next(&mut output).await.expect("read"), Next::Line(b"a".to_vec()));
        assert_eq!(next(&mut output).await.expect("read"), Next::Line(Vec::new()));
        assert_eq!(next(&mut output).await.expect("read"), Next::Line(b"b".to_vec()));
        assert_eq!(next(&mut output).await.expect("read"), Next::End);
    }

    #[tokio::test]
    async fn a_line_without_end_is_given_up() {
        let long = vec![b'x'; LONGEST_LINE + 1];
        assert_eq!(next(&mut long.as_slice()).await.expect("read"), Next::TooLong);
    }
}
