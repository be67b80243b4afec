//! Reads WebSocket messages (RFC 6455) from a byte stream, and tells where each lay.
