//! The room `audit`.

pub mod agreement;
#[cfg(test)]
mod bench;
pub mod capture;
pub mod dissect;
pub mod dtls_exporter;
pub mod http;
pub mod key_file;
pub mod oracle;
pub mod self_test;
pub mod sframe;
pub mod srtp;
pub mod tls13;
pub mod websocket;

mod vectors;
