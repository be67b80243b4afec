//! Hellos and certificates in the clear, as far as the judge reads them.

fn u24(value: usize) -> [u8; 3] {
    let bytes = u32::try_from(value).expect("small").to_be_bytes();
    [bytes[1], bytes[2], bytes[3]]
}

fn dtls_record(fragment: &[u8]) -> Vec<u8> {
    let mut bytes = vec![22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(u16::try_from(fragment.len()).expect("short").to_be_bytes());
    bytes.extend(fragment);
    bytes
}

fn dtls_message(kind: u8, sequence: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(u24(body.len()));
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0, 0, 0]);
    bytes.extend(u24(body.len()));
    bytes.extend(body);
    dtls_record(&bytes)
}

/// `use_srtp` with SRTP_AEAD_AES_128_GCM alone, in a list of extensions.
const USE_SRTP: [u8; 11] = [0, 9, 0, 14, 0, 5, 0, 2, 0, 7, 0];

/// A ClientHello of DTLS 1.2.
pub fn dtls_client_hello(random: [u8; 32]) -> Vec<u8> {
    let mut body = vec![0xFE, 0xFD];
    body.extend(random);
    body.extend([0, 0, 0, 2, 0xC0, 0x2B, 1, 0]);
    body.extend(USE_SRTP);
    dtls_message(1, 0, &body)
}

/// A ServerHello of DTLS 1.2.
pub fn dtls_server_hello(random: [u8; 32]) -> Vec<u8> {
    let mut body = vec![0xFE, 0xFD];
    body.extend(random);
    body.extend([0, 0xC0, 0x2B, 0]);
    body.extend(USE_SRTP);
    dtls_message(2, 0, &body)
}

/// A Certificate message with one certificate.
pub fn dtls_certificate(sequence: u16, certificate: &[u8]) -> Vec<u8> {
    let mut body = u24(certificate.len() + 3).to_vec();
    body.extend(u24(certificate.len()));
    body.extend(certificate);
    dtls_message(11, sequence, &body)
}

/// A Finished message, encrypted as it always is (RFC 6347 §4.1): of it the judge sees content type and epoch.
pub fn dtls_finished() -> Vec<u8> {
    let mut bytes = dtls_record(&[0xF1; 40]);
    bytes[4] = 1;
    bytes
}

fn tls_record(message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![22, 3, 3];
    bytes.extend(u16::try_from(message.len()).expect("short").to_be_bytes());
    bytes.extend(message);
    bytes
}

/// A ClientHello of TLS 1.3, as far as its random.
pub fn tls_client_hello(random: [u8; 32]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend([0, 7, 0, 43, 0, 3, 2, 3, 4]);
    let mut message = vec![1];
    message.extend(u24(body.len()));
    message.extend(body);
    tls_record(&message)
}

/// A ServerHello of TLS 1.3 that chooses TLS_AES_128_GCM_SHA256.
pub fn tls_server_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0x13, 0x01, 0]);
    body.extend([0, 6, 0, 43, 0, 2, 3, 4]);
    let mut message = vec![2];
    message.extend(u24(body.len()));
    message.extend(body);
    tls_record(&message)
}
