// werift behind the driver protocol of overheard, version 1: requests on standard input, replies and events on standard
// output, logs on standard error.
import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import { Device, serve } from './device.mjs';

const require = createRequire(import.meta.url);
const { MediaStreamTrack, RTCDtlsTransport, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket } = require('werift');
const { version } = require('./node_modules/werift/package.json');
// The payload type that every description of the harness has (design, section 1.7).
const OPUS = { mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: 111 };
// Names of RFC 5764, section 4.1.2, and RFC 7714, section 14.2; lengths of master key and salt.
const PROFILES = { 1: ['SRTP_AES128_CM_HMAC_SHA1_80', 16, 14], 7: ['SRTP_AEAD_AES_128_GCM', 16, 12] };

// An RTCPeerConnection of one call, with all candidates in its descriptions.
class Connection {
  constructor(call, keyLines) {
    const { address } = call.session;
    const relay = call.relayed && call.session.relay;
    // werift makes one certificate for the life of the process; each call gets one of its own.
    Object.assign(RTCDtlsTransport, { localCertificate: undefined, localCertificatePromise: undefined });
    const turn = relay && { urls: relay.url, username: relay.username, credential: relay.password };
    this.pc = new RTCPeerConnection({
      codecs: { audio: [new RTCRtpCodecParameters(OPUS)] },
      headerExtensions: { audio: [] },
      iceAdditionalHostAddresses: [address],
      iceUseIpv6: false,
      iceServers: turn ? [turn] : [],
      ...(turn ? { iceTransportPolicy: 'relay' } : {}),
    });
    Object.assign(this, { call, keyLines, sequence: crypto.randomInt(65_536), timestamp: crypto.randomInt(2 ** 31) });
    this.track = new MediaStreamTrack({ kind: 'audio' });
    const heard = new Set();
    this.pc.onTrack.subscribe((track) => {
      // A second offer tells of the same tracks again.
      if (!heard.has(track)) track.onReceiveRtp.subscribe((rtp) => call.onPacket('audio', rtp.payload));
      heard.add(track);
    });
    this.pc.connectionStateChange.subscribe((state) => {
      if (state === 'connected') {
        this.exportKeys();
        call.onConnected();
      } else if (state === 'failed') call.onFailed();
    });
  }

  // The exporter of RFC 5764, section 4.2: both master keys, then both salts.
  exportKeys() {
    for (const { dtls } of this.pc.dtlsTransports) {
      const [name, key, salt] = PROFILES[dtls.srtp.srtpProfile] ?? [];
      if (!name) continue;
      const { localKey, localSalt, remoteKey, remoteSalt } = dtls.extractSessionKeys(key, salt);
      for (const master of [[localKey, localSalt], [remoteKey, remoteSalt]])
        this.keyLines.push(`SRTP ${name} ${Buffer.concat(master).toString('hex')}`);
    }
  }

  async offer() {
    this.pc.addTransceiver(this.track, { direction: 'sendrecv' });
    this.added = true;
    await this.pc.setLocalDescription(await this.pc.createOffer());
    return this.pc.localDescription.sdp;
  }

  async answer(sdp) {
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    if (!this.added) this.pc.addTrack(this.track);
    this.added = true;
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    return this.pc.localDescription.sdp;
  }

  async accept(sdp) {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  send(_kind, payload) {
    const header = new RtpHeader({
      version: 2, payloadType: OPUS.payloadType, sequenceNumber: this.sequence, timestamp: this.timestamp, ssrc: 1,
      marker: false, extension: false, padding: false, csrc: [],
    });
    this.track.writeRtp(new RtpPacket(header, payload));
    this.sequence = (this.sequence + 1) & 0xffff;
    this.timestamp = (this.timestamp + 960) >>> 0;
  }

  close() {
    this.pc.close().catch((error) => console.error(error));
  }
}

const device = new Device(`werift ${version}`, ['frames', 'audio', 'keys-export'], (call) => new Connection(call, device.keyLines));
await serve(device);
