//! One peer connection: tracks out, packets in, descriptions back and forth.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::Kind;
use net::{AccessLink, Network};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceGatheringState, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnectionState, RTCSessionDescription,
    Registry, SettingEngineBuilder, configure_rtcp_reports,
};
use webrtc::rtp_transceiver::RtpSender;

use super::provider::TappedProvider;
use super::runtime::NetRuntime;
use super::{EngineError, KeySink, description};
use crate::entropy::Entropy;

/// Payload type of Opus in every offer of ours.
const OPUS: u8 = 111;
/// Payload type of VP8 in every offer of ours.
const VP8: u8 = 96;

/// A stream that the peer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackSetup {
    /// What it carries.
    pub kind: Kind,
    /// Its SSRC.
    pub ssrc: u32,
}

/// The TURN server that a peer has to use, and what it shows there.
#[derive(Clone)]
pub struct RelayUse {
    /// `turn:10.0.0.9:3478`
    pub url: String,
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// What a peer is made of.
pub struct PeerSetup {
    /// Time and randomness of the world.
    pub net: Arc<dyn Network>,
    /// Where its sockets stand.
    pub link: Arc<dyn AccessLink>,
    /// Where its DTLS secrets go.
    pub keys: KeySink,
    /// Its randomness.
    pub entropy: Arc<Entropy>,
    /// What it sends, in the order of the media sections.
    pub tracks: Vec<TrackSetup>,
    /// Whether it compares the certificate with the description (RFC 8122 §5.1).
    pub checks_fingerprint: bool,
    /// The relay that it must use.
    pub relay: Option<RelayUse>,
}

/// Where a peer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// Neither connected nor given up.
    Connecting,
    /// ICE and DTLS are done.
    Connected,
    /// Given up, or the driver has died.
    Failed,
}

/// An RTP packet that came out of SRTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The kind of its track.
    pub kind: Kind,
    /// SSRC.
    pub ssrc: u32,
    /// Marker bit.
    pub marker: bool,
    /// Payload type.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Payload without padding.
    pub payload: Bytes,
}

/// An RTP packet to send; its payload type is the one that the other side has described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The track that it goes out on.
    pub kind: Kind,
    /// Marker bit.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Payload.
    pub payload: Bytes,
}

/// A peer connection.
pub struct Peer {
    connection: Arc<dyn PeerConnection>,
    senders: Vec<Arc<dyn RtpSender>>,
    tracks: Mutex<Vec<Track>>,
    /// What the other side has described last, by kind: under that it expects a codec (RFC 3264 §6.1).
    payload_types: Mutex<BTreeMap<Kind, u8>>,
    gathered: watch::Receiver<bool>,
    state: watch::Receiver<PeerState>,
    runtime: Arc<NetRuntime>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({:?})", self.runtime)
    }
}

struct Events {
    gathered: watch::Sender<bool>,
    state: watch::Sender<PeerState>,
    incoming: mpsc::UnboundedSender<Incoming>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Connected => self.state.send_replace(PeerState::Connected),
            RTCPeerConnectionState::Failed => self.state.send_replace(PeerState::Failed),
            _ => return,
        };
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let incoming = self.incoming.clone();
        tokio::spawn(async move {
            let kind = kind_of(track.as_ref()).await;
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
                let packet = Incoming {
                    kind,
                    ssrc: packet.header.ssrc,
                    marker: packet.header.marker,
                    payload_type: packet.header.payload_type,
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    payload: packet.payload,
                };
                if incoming.send(packet).is_err() {
                    break;
                }
            }
        });
    }
}

/// Camera and screen have the same codec; the name of the stream tells them apart.
async fn kind_of(track: &dyn TrackRemote) -> Kind {
    match track.kind().await {
        RtpCodecKind::Audio => Kind::Audio,
        _ if track.stream_id().await == Kind::Screen.word() => Kind::Screen,
        _ => Kind::Video,
    }
}

fn codec(kind: Kind) -> (RTCRtpCodec, RtpCodecKind, u8) {
    match kind {
        Kind::Audio => (
            RTCRtpCodec {
                mime_type: MIME_TYPE_OPUS.to_owned(),
                clock_rate: 48_000,
                channels: 2,
                sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
                rtcp_feedback: vec![],
            },
            RtpCodecKind::Audio,
            OPUS,
        ),
        Kind::Video | Kind::Screen => (
            RTCRtpCodec {
                mime_type: MIME_TYPE_VP8.to_owned(),
                clock_rate: 90_000,
                channels: 0,
                sdp_fmtp_line: String::new(),
                rtcp_feedback: vec![],
            },
            RtpCodecKind::Video,
            VP8,
        ),
    }
}

impl Peer {
    /// Makes a peer and the queue of what it receives.
    ///
    /// # Errors
    /// When the engine refuses a part of the setup.
    pub async fn new(setup: PeerSetup) -> Result<(Self, mpsc::UnboundedReceiver<Incoming>), EngineError> {
        let mut media = MediaEngine::default();
        for kind in [Kind::Audio, Kind::Video] {
            let (rtp_codec, codec_kind, payload_type) = codec(kind);
            let parameters = RTCRtpCodecParameters { rtp_codec, payload_type };
            media.register_codec(parameters, codec_kind).map_err(EngineError::at("take a codec"))?;
        }
        let interceptors = configure_rtcp_reports(Registry::new());
        let provider =
            TappedProvider::new(setup.keys, setup.entropy).map_err(EngineError::at("make ciphers"))?;
        let settings = SettingEngineBuilder::new()
            .with_crypto_provider(Arc::new(provider))
            .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
            // A peer that has a relay uses nothing else, so there is no better pair to hold relayed ones back for.
            .with_relay_acceptance_min_wait(Some(Duration::ZERO))
            .with_disable_certificate_fingerprint_verification(!setup.checks_fingerprint);
        let mut configuration = RTCConfigurationBuilder::new();
        if let Some(relay) = setup.relay {
            let server =
                RTCIceServer { urls: vec![relay.url], username: relay.username, credential: relay.password };
            configuration = configuration
                .with_ice_servers(vec![server])
                .with_ice_transport_policy(RTCIceTransportPolicy::Relay);
        }
        let (gathered, gathered_seen) = watch::channel(false);
        let (state, state_seen) = watch::channel(PeerState::Connecting);
        let (incoming, incoming_seen) = mpsc::unbounded_channel();
        let runtime = Arc::new(NetRuntime {
            net: setup.net,
            link: setup.link,
            bound: Mutex::default(),
            sockets: Mutex::default(),
            driver_ended: Arc::new(AtomicBool::new(false)),
        });
        let connection: Arc<dyn PeerConnection> = Arc::new(
            PeerConnectionBuilder::new()
                .with_configuration(configuration.build())
                .with_media_engine(media)
                .with_interceptor_registry(interceptors)
                .with_setting_engine(settings.build())
                .with_handler(Arc::new(Events { gathered, state, incoming }))
                .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
                .with_runtime(runtime.clone())
                .build()
                .await
                .map_err(EngineError::at("make a peer"))?,
        );
        let (tracks, senders) = add_tracks(connection.as_ref(), "", &setup.tracks).await?;
        let tracks = Mutex::new(tracks);
        Ok((
            Self {
                connection,
                senders,
                tracks,
                payload_types: Mutex::default(),
                gathered: gathered_seen,
                state: state_seen,
                runtime,
            },
            incoming_seen,
        ))
    }

    /// Adds what somebody else says as streams of their own; the other peer learns of them by the next offer.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn add(&self, source: &str, setups: &[TrackSetup]) -> Result<(), EngineError> {
        let (tracks, _) = add_tracks(self.connection.as_ref(), source, setups).await?;
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner).extend(tracks);
        Ok(())
    }

    /// Describes what this peer sends and where it can be reached.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn offer(&self) -> Result<String, EngineError> {
        let offer = self.connection.create_offer(None).await.map_err(EngineError::at("make an offer"))?;
        self.local(offer).await
    }

    /// Takes the other peer's offer and describes this one.
    ///
    /// # Errors
    /// When the offer is no description, or the engine refuses it.
    pub async fn answer(&self, offer: &str) -> Result<String, EngineError> {
        self.learn(offer);
        let offer =
            RTCSessionDescription::offer(offer.to_owned()).map_err(EngineError::at("read an offer"))?;
        self.connection.set_remote_description(offer).await.map_err(EngineError::at("take an offer"))?;
        let answer = self.connection.create_answer(None).await.map_err(EngineError::at("make an answer"))?;
        self.local(answer).await
    }

    /// Takes the other peer's answer.
    ///
    /// # Errors
    /// When the answer is no description, or the engine refuses it.
    pub async fn accept(&self, answer: &str) -> Result<(), EngineError> {
        self.learn(answer);
        let answer =
            RTCSessionDescription::answer(answer.to_owned()).map_err(EngineError::at("read an answer"))?;
        self.connection.set_remote_description(answer).await.map_err(EngineError::at("take an answer"))
    }

    fn learn(&self, sdp: &str) {
        let mut payload_types = self.payload_types.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in Kind::ALL {
            if let Some(payload_type) = description::payload_type(sdp, &codec(*kind).0.mime_type) {
                payload_types.insert(*kind, payload_type);
            }
        }
    }

    fn payload_type(&self, kind: Kind) -> u8 {
        let payload_types = self.payload_types.lock().unwrap_or_else(PoisonError::into_inner);
        payload_types.get(&kind).copied().unwrap_or_else(|| codec(kind).2)
    }

    async fn local(&self, description: RTCSessionDescription) -> Result<String, EngineError> {
        self.connection
            .set_local_description(description)
            .await
            .map_err(EngineError::at("gather candidates"))?;
        let mut gathered = self.gathered.clone();
        gathered.wait_for(|done| *done).await.map_err(EngineError::at("gather candidates"))?;
        let description = self.connection.local_description().await;
        let sdp = description.ok_or_else(|| EngineError::at("describe itself")("it has no description"))?.sdp;
        let bound = self.runtime.bound.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(description::with_address(&sdp, &bound))
    }

    /// Where the peer stands, and how to learn that it stands elsewhere.
    pub fn state(&self) -> watch::Receiver<PeerState> {
        self.state.clone()
    }

    /// Whether the engine's driver has died: its only sign of a refused handshake.
    pub fn driver_ended(&self) -> bool {
        self.runtime.driver_ended.load(Ordering::Relaxed)
    }

    /// SHA-256 of the other side's certificate as it came in the handshake; none before.
    pub async fn seen_fingerprint(&self) -> Option<[u8; 32]> {
        let transport = self.senders.first()?.transport().await.ok()??;
        let certificates = transport.get_remote_certificates().await.ok()?;
        Some(Sha256::digest(certificates.first()?).into())
    }

    /// Sends one packet on a stream that the peer was made with; one whose kind has no track is dropped.
    ///
    /// # Errors
    /// When the peer is closed.
    pub async fn send(&self, packet: Outgoing) -> Result<(), EngineError> {
        self.send_from("", packet).await
    }

    /// Sends one packet on a stream that was added for `source`; one that has no track is dropped.
    ///
    /// # Errors
    /// When the peer is closed.
    pub async fn send_from(&self, source: &str, packet: Outgoing) -> Result<(), EngineError> {
        let found = {
            let tracks = self.tracks.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = |track: &&Track| track.source == source && track.setup.kind == packet.kind;
            tracks.iter().find(fits).map(|track| (track.setup, track.local.clone()))
        };
        let Some((setup, track)) = found else { return Ok(()) };
        let header = rtc::rtp::header::Header {
            version: 2,
            marker: packet.marker,
            payload_type: self.payload_type(packet.kind),
            sequence_number: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: setup.ssrc,
            ..Default::default()
        };
        let packet = rtc::rtp::Packet { header, payload: packet.payload };
        track.write_rtp(packet).await.map_err(EngineError::at("send a packet"))
    }

    /// Sends one packet without SRTP to the first candidate of a description, from the socket that everything else
    /// leaves by: for a client that is wrong on purpose.
    ///
    /// # Errors
    /// When nothing is bound, the description has no candidate, or the socket refuses.
    pub fn send_bare(&self, description: &str, packet: &Outgoing) -> io::Result<()> {
        let to = description::candidate_address(description).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let found = self.tracks.lock().unwrap_or_else(PoisonError::into_inner);
        let ssrc = found.iter().find(|t| t.setup.kind == packet.kind).map_or(0, |t| t.setup.ssrc);
        // RFC 3550 §5.1: version 2, no padding, extension or contributing source.
        let mut bytes = vec![0x80, self.payload_type(packet.kind) | u8::from(packet.marker) << 7];
        bytes.extend(packet.sequence.to_be_bytes());
        bytes.extend(packet.timestamp.to_be_bytes());
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend(&packet.payload);
        let sockets = self.runtime.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.first().ok_or(io::ErrorKind::NotConnected)?.send(to, &bytes)
    }

    /// Closes the connection.
    pub async fn close(&self) {
        // A peer that is already closed is closed enough.
        let _ = self.connection.close().await;
    }
}

/// A stream that the peer sends, and whose it is; empty for what the peer was made with.
struct Track {
    source: String,
    setup: TrackSetup,
    local: Arc<TrackLocalStaticRTP>,
}

type Tracks = (Vec<Track>, Vec<Arc<dyn RtpSender>>);

async fn add_tracks(
    connection: &dyn PeerConnection,
    source: &str,
    setups: &[TrackSetup],
) -> Result<Tracks, EngineError> {
    let (mut tracks, mut senders) = (Vec::new(), Vec::new());
    for setup in setups {
        let (codec, kind, _) = codec(setup.kind);
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(setup.ssrc), ..Default::default() },
            codec,
            ..Default::default()
        };
        let word = setup.kind.word().to_owned();
        // The engine finds a track by its name, so that no two of one peer may share it.
        let name = format!("{word}{source}");
        let local = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            word.clone(),
            name.clone(),
            name,
            kind,
            vec![coding],
        )));
        let sender = connection.add_track(local.clone() as Arc<dyn TrackLocal>).await;
        senders.push(sender.map_err(EngineError::at("add a track"))?);
        tracks.push(Track { source: source.to_owned(), setup: *setup, local });
    }
    Ok((tracks, senders))
}

#[cfg(test)]
mod tests;
