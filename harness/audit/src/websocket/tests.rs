//! The examples of RFC 6455 §5.7, and frames that nobody may send.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const MASKED_HELLO: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

fn text(text: &str, range: Range<usize>) -> Message {
    Message { content: Content::Text(text.into()), range }
}

#[rstest]
#[case::unmasked(Sender::Server, b"\x81\x05Hello", text("Hello", 0..7))]
#[case::masked(Sender::Client, MASKED_HELLO, text("Hello", 0..11))]
#[case::fragmented(Sender::Server, b"\x01\x03Hel\x80\x02lo", text("Hello", 0..9))]
#[case::ping(
    Sender::Server,
    b"\x89\x05Hello",
    Message { content: Content::Ping(b"Hello".into()), range: 0..7 }
)]
#[case::masked_pong(
    Sender::Client,
    b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
    Message { content: Content::Pong(b"Hello".into()), range: 0..11 }
)]
#[case::close(Sender::Server, b"\x88\x00", Message { content: Content::Close(None), range: 0..2 })]
#[case::close_with_reason(
    Sender::Server,
    b"\x88\x05\x03\xe8bye",
    Message { content: Content::Close(Some((1000, "bye".into()))), range: 0..7 }
)]
#[case::empty(Sender::Server, b"\x81\x00", text("", 0..2))]
fn a_single_message_is_read(#[case] sender: Sender, #[case] stream: &[u8], #[case] message: Message) {
    let read = read(sender, stream);
    assert_eq!(read, Messages { messages: vec![message], end: stream.len(), unfinished: None, error: None });
}

#[rstest]
#[case::two_bytes_of_length(256, &[0x82, 0x7e, 0x01, 0x00])]
#[case::eight_bytes_of_length(65_536, &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0])]
fn long_binary_messages_are_read(#[case] length: usize, #[case] header: &[u8]) {
    let payload = vec![7; length];
    let stream = [header, &payload].concat();
    let message = Message { content: Content::Binary(payload), range: 0..stream.len() };
    assert_eq!(read(Sender::Server, &stream).messages, [message]);
    assert_eq!(read(Sender::Server, &stream[..stream.len() - 1]).end, 0);
}

#[test]
fn a_control_message_may_lie_between_fragments() {
    let read = read(Sender::Server, b"\x01\x03Hel\x89\x00\x80\x02lo\x81\x01x");
    let ping = Message { content: Content::Ping(Vec::new()), range: 5..7 };
    assert_eq!(read.messages, [ping, text("Hello", 0..11), text("x", 11..14)]);
}

#[test]
fn a_message_that_has_not_ended_is_told() {
    let read = read(Sender::Server, b"\x81\x00\x01\x03Hel\x00\x01l\x80\x02o");
    assert_eq!(read.messages.len(), 1);
    assert_eq!((read.end, read.unfinished, read.error), (10, Some(2), None));
}

#[test]
fn nothing_is_read_behind_a_close() {
    let read = read(Sender::Server, b"\x88\x00\x81\x00");
    assert_eq!((read.messages.len(), read.end, read.error), (1, 2, None));
}

#[test]
fn a_frame_that_is_cut_short_is_not_read() {
    for cut in 0..MASKED_HELLO.len() {
        let read = read(Sender::Client, &MASKED_HELLO[..cut]);
        assert_eq!((read.messages.len(), read.end, read.error), (0, 0, None), "cut to {cut}");
    }
}

#[rstest]
#[case::compressed(b"\xc1\x00", WebSocketError::ReservedBit)]
#[case::opcode_3(b"\x83\x00", WebSocketError::UnknownOpcode(3))]
#[case::opcode_11(b"\x8b\x00", WebSocketError::UnknownOpcode(11))]
#[case::masked_by_the_server(MASKED_HELLO, WebSocketError::WrongMask)]
#[case::length_in_two_bytes(b"\x81\x7e\x00\x7d", WebSocketError::BadLength)]
#[case::length_in_eight_bytes(b"\x81\x7f\0\0\0\0\0\0\xff\xff", WebSocketError::BadLength)]
#[case::negative_length(b"\x81\x7f\x80\0\0\0\0\x01\0\0", WebSocketError::BadLength)]
#[case::endless(b"\x82\x7f\0\0\0\0\x01\0\0\x01", WebSocketError::TooLong)]
#[case::far_too_long(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", WebSocketError::TooLong)]
#[case::ping_in_fragments(b"\x09\x00", WebSocketError::BadControl)]
#[case::long_ping(b"\x89\x7e\x00\x7e", WebSocketError::BadControl)]
#[case::continuation_of_nothing(b"\x80\x00", WebSocketError::BadFragment)]
#[case::no_utf8(b"\x81\x01\xff", WebSocketError::NoUtf8)]
#[case::half_a_status(b"\x88\x01\x03", WebSocketError::BadClose)]
#[case::reason_without_utf8(b"\x88\x03\x03\xe8\xff", WebSocketError::NoUtf8)]
fn what_the_rfc_forbids_is_an_error(#[case] stream: &[u8], #[case] error: WebSocketError) {
    let read = read(Sender::Server, stream);
    assert_eq!((read.messages.len(), read.end, read.error), (0, 0, Some(error)));
}

#[test]
fn a_new_message_before_the_last_has_ended_is_an_error() {
    let read = read(Sender::Server, b"\x01\x01a\x81\x01b");
    assert_eq!((read.end, read.unfinished, read.error), (3, Some(0), Some(WebSocketError::BadFragment)));
}

#[test]
fn a_client_must_mask() {
    assert_eq!(read(Sender::Client, b"\x81\x05Hello").error, Some(WebSocketError::WrongMask));
}

proptest! {
    #[test]
    fn any_bytes_are_taken(stream in proptest::collection::vec(any::<u8>(), 0..64)) {
        for sender in [Sender::Client, Sender::Server] {
            prop_assert!(read(sender, &stream).end <= stream.len());
        }
    }
}
