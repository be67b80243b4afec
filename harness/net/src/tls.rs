//! TLS above any stream: one root per world, one suite, no resumption.
//!
//! Invariant: every connection is TLS 1.3 with TLS_AES_128_GCM_SHA256 and X25519, and its secrets reach the key sink
//! of its server, whether or not the client keeps them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, KeyLog, RootCertStore, ServerConfig};

use crate::network::Stream;

/// Takes lines of an NSS key log, without line ends: label, client random and secret.
pub type KeySink = Arc<dyn Fn(&str) + Send + Sync>;

/// Why no certificate or configuration could be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The name or the key does not make a certificate.
    #[error("no certificate for `{name}`: {source}; use a host name")]
    Certificate {
        /// For whom it was to be.
        name: String,
        /// What the library says.
        source: rcgen::Error,
    },
    /// The certificate does not make a configuration.
    #[error("no TLS configuration for `{name}`: {source}; use a host name")]
    Configuration {
        /// For whom it was to be.
        name: String,
        /// What the library says.
        source: rustls::Error,
    },
}

/// The root of one world, which every client of that world trusts and nobody else does.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    time: Arc<FixedTime>,
}

/// What a server needs to accept TLS.
#[derive(Clone)]
pub struct TlsServer(Arc<ServerConfig>);

/// What a client needs to connect with TLS: trust in one world's root.
#[derive(Clone)]
pub struct TlsClient(Arc<ClientConfig>);

impl Authority {
    /// Makes a root with a fresh key; certificates are validated as of `epoch_ns`, nanoseconds from 1970.
    ///
    /// # Errors
    /// When the library cannot make a key or a certificate.
    pub fn new(epoch_ns: u64) -> Result<Self, TlsError> {
        const NAME: &str = "overheard root";
        let failed = |source| TlsError::Certificate { name: NAME.to_owned(), source };
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, NAME);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(failed)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
        let time = Arc::new(FixedTime(UnixTime::since_unix_epoch(Duration::from_nanos(epoch_ns))));
        Ok(Self { issuer, time })
    }

    /// The root certificate, in DER.
    pub fn root(&self) -> &[u8] {
        self.issuer.der()
    }

    /// Makes a key and a certificate for the host `name`; `keys` gets the secrets of each connection.
    ///
    /// # Errors
    /// When `name` is no host name.
    pub fn server(&self, name: &str, keys: KeySink) -> Result<TlsServer, TlsError> {
        let no_certificate = |source| TlsError::Certificate { name: name.to_owned(), source };
        let no_configuration = |source| TlsError::Configuration { name: name.to_owned(), source };
        let mut params = CertificateParams::new([name.to_owned()]).map_err(no_certificate)?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().map_err(no_certificate)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(no_certificate)?;
        let mut config = ServerConfig::builder_with_details(provider(), self.time.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(no_configuration)?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .map_err(no_configuration)?;
        config.key_log = Arc::new(Lines(keys));
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsServer(Arc::new(config)))
    }

    /// Makes what clients of this world connect with.
    ///
    /// # Errors
    /// When the library refuses the root.
    pub fn client(&self) -> Result<TlsClient, TlsError> {
        let failed = |source| TlsError::Configuration { name: "a client".to_owned(), source };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.root().to_vec())).map_err(failed)?;
        let mut config = ClientConfig::builder_with_details(provider(), self.time.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsClient(Arc::new(config)))
    }
}

/// Runs the server's side of the handshake.
///
/// # Errors
/// When the stream breaks or the client is not acceptable.
pub async fn accept_tls(server: &TlsServer, stream: Box<dyn Stream>) -> io::Result<Box<dyn Stream>> {
    let stream = tokio_rustls::TlsAcceptor::from(server.0.clone()).accept(stream).await?;
    Ok(Box::new(stream))
}

/// Runs the client's side of the handshake with the host `name`.
///
/// # Errors
/// When the stream breaks, `name` is no host name, or the server cannot prove to be it.
pub async fn connect_tls(
    client: &TlsClient,
    name: &str,
    stream: Box<dyn Stream>,
) -> io::Result<Box<dyn Stream>> {
    let name = ServerName::try_from(name.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = tokio_rustls::TlsConnector::from(client.0.clone()).connect(name, stream).await?;
    Ok(Box::new(stream))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![ring::kx_group::X25519],
        ..ring::default_provider()
    })
}

/// The time of the world's start: certificates are made for one world, so its course does not matter.
#[derive(Debug)]
struct FixedTime(UnixTime);

impl TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

struct Lines(KeySink);

impl KeyLog for Lines {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        (self.0)(&format!("{label} {} {}", hex::encode(client_random), hex::encode(secret)));
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lines(…)")
    }
}

#[cfg(test)]
pub(crate) mod tests;
