//! Opens TLS 1.3 byte streams (RFC 8446) from logged traffic secrets, and tells which record each plaintext byte came from.
