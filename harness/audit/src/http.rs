//! Reads HTTP/1.1 messages (RFC 9112) from a byte stream, and tells where each lay.
