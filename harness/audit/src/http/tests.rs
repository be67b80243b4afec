//! Messages as clients and servers write them, and as nobody should.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const POST: &[u8] =
    b"POST /v1/tenants/a/policies HTTP/1.1\r\nHost: policy-server\r\nContent-Length: 2\r\n\r\n{}";
const UPGRADE: &[u8] =
    b"GET /v1 HTTP/1.1\r\nHost: call-service\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

fn only_response(text: &[u8]) -> Message {
    let mut read = read(Side::Responses, text, false);
    assert_eq!((read.error, read.messages.len(), read.end), (None, 1, text.len()));
    read.messages.remove(0)
}

#[test]
fn requests_are_read_one_after_the_other() {
    let stream = [POST, b"GET / HTTP/1.1\r\n\r\n", POST].concat();
    let read = read(Side::Requests, &stream, false);
    assert_eq!((read.error, read.end), (None, stream.len()));
    let targets: Vec<_> =
        read.messages.iter().map(|message| (message.range.clone(), message.body.len())).collect();
    let length = POST.len();
    assert_eq!(targets, [(0..length, 2), (length..length + 18, 0), (length + 18..2 * length + 18, 2)]);
    assert_eq!(
        read.messages[0].start,
        Start::Request { method: "POST".into(), target: "/v1/tenants/a/policies".into() }
    );
    assert_eq!(read.messages[0].header("HOST"), Some("policy-server"));
    assert_eq!(read.messages[0].header("authorization"), None);
}

#[test]
fn a_chunked_body_is_put_together() {
    let message = only_response(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n\
          4\r\nWiki\r\nA;name=x\r\npedia in c\r\n0\r\nTrailer: x\r\n\r\n",
    );
    assert_eq!(message.body, b"Wikipedia in c");
}

#[rstest]
#[case::no_content(b"HTTP/1.1 204 No Content\r\n\r\n", 204)]
#[case::no_reason(b"HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", 304)]
#[case::empty(b"HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n", 404)]
fn a_response_without_content_ends_with_its_head(#[case] text: &[u8], #[case] status: u16) {
    let message = only_response(text);
    assert_eq!((message.start, message.body.len()), (Start::Response { status }, 0));
}

#[test]
fn a_body_without_a_length_ends_with_the_stream() {
    let text = b"HTTP/1.1 200 OK\r\n\r\nbody";
    assert_eq!(read(Side::Responses, text, false).messages, []);
    assert_eq!(read(Side::Responses, text, true).messages[0].body, b"body");
}

#[test]
fn both_sides_stop_where_a_websocket_begins() {
    let frames = b"\x81\x00";
    let requests = read(Side::Requests, &[UPGRADE, frames].concat(), false);
    assert_eq!((requests.error, requests.end), (None, UPGRADE.len()));
    assert!(requests.messages[0].asks_for_websocket() && !requests.messages[0].switches_to_websocket());
    let accept = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n\r\n";
    let responses = read(Side::Responses, &[&accept[..], frames].concat(), false);
    assert_eq!((responses.error, responses.end), (None, accept.len()));
    assert!(responses.messages[0].switches_to_websocket());
}

#[test]
fn a_message_that_is_cut_short_is_not_read() {
    for cut in 1..POST.len() {
        let read = read(Side::Requests, &POST[..cut], true);
        assert_eq!((read.messages.len(), read.end, read.error), (0, 0, None), "cut to {cut}");
    }
}

#[rstest]
#[case::no_http(b"\x16\x03\x01\r\n", HttpError::NoStartLine)]
#[case::version_1_0(b"GET / HTTP/1.0\r\n\r\n", HttpError::NoStartLine)]
#[case::response(b"HTTP/1.1 200 OK\r\n\r\n", HttpError::NoStartLine)]
#[case::two_spaces(b"GET  / HTTP/1.1\r\n\r\n", HttpError::NoStartLine)]
#[case::four_words(b"GET / HTTP/1.1 x\r\n\r\n", HttpError::NoStartLine)]
#[case::no_colon(b"GET / HTTP/1.1\r\nHost\r\n\r\n", HttpError::BadHeader)]
#[case::space_before_colon(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", HttpError::BadHeader)]
#[case::folded(b"GET / HTTP/1.1\r\nHost: x\r\n y: z\r\n\r\n", HttpError::BadHeader)]
#[case::line_feed(b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", HttpError::BadHeader)]
#[case::no_utf8(b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", HttpError::BadHeader)]
#[case::two_lengths(
    b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    HttpError::AmbiguousLength
)]
#[case::length_list(b"GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\nx", HttpError::AmbiguousLength)]
#[case::signed_length(b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx", HttpError::AmbiguousLength)]
#[case::huge_length(
    b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    HttpError::AmbiguousLength
)]
#[case::length_and_chunks(
    b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    HttpError::AmbiguousLength
)]
#[case::gzip(
    b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    HttpError::AmbiguousLength
)]
#[case::chunk_size(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n", HttpError::BadChunk)]
#[case::chunk_size_beyond_32_bits(
    b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n123456789\r\n\r\n",
    HttpError::BadChunk
)]
#[case::chunk_end(
    b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    HttpError::BadChunk
)]
fn what_can_be_understood_in_two_ways_is_an_error(#[case] text: &[u8], #[case] error: HttpError) {
    let read = read(Side::Requests, text, false);
    assert_eq!((read.messages.len(), read.end, read.error), (0, 0, Some(error)));
}

#[test]
fn a_head_without_an_end_is_an_error_in_the_end() {
    let text = [b"GET / HTTP/1.1\r\nA: ".to_vec(), vec![b'x'; LONGEST_HEAD]].concat();
    assert_eq!(read(Side::Requests, &text, false).error, Some(HttpError::HeadTooLong));
    assert_eq!(read(Side::Requests, &text[..LONGEST_HEAD - 1], false).error, None);
}

proptest! {
    #[test]
    fn any_bytes_are_taken(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        at in 0..90_usize,
        ended: bool,
    ) {
        let mut spoiled = POST.to_vec();
        spoiled.splice(at.min(POST.len()).., bytes.clone());
        let chunked = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &bytes[..]].concat();
        for stream in [&bytes, &spoiled, &chunked] {
            for side in [Side::Requests, Side::Responses] {
                prop_assert!(read(side, stream, ended).end <= stream.len());
            }
        }
    }
}
