//! SRTP master keys from a DTLS 1.2 master secret (RFC 5764 §4.2); nothing else of DTLS is known here.
