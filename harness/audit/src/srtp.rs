//! Opens SRTP and SRTCP (RFC 3711, RFC 7714) from master keys; it never seals, and never trusts a tag unchecked.
