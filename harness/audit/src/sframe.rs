//! Opens SFrame ciphertexts (RFC 9605) from base keys; it never seals.
