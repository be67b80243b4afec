// node-datachannel (libdatachannel) behind the driver protocol of overheard, version 1: requests on standard input, replies
// and events on standard output, logs on standard error. Agreement, call and protocol are those of the folder `werift`.
import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import { Device, serve } from '../werift/device.mjs';

const require = createRequire(import.meta.url);
const ndc = require('node-datachannel');
const { version } = require('./node_modules/node-datachannel/package.json');
// The payload type that every description of the harness has (design, section 1.7).
const OPUS = 111;

// The payload of an RTP packet (RFC 3550, section 5.1), without CSRCs, header extension and padding; empty for RTCP.
function payloadOf(packet) {
  const type = packet[1] & 0x7f;
  if (packet.length < 12 || (type >= 64 && type < 96)) return Buffer.alloc(0);
  let at = 12 + 4 * (packet[0] & 15);
  if (packet[0] & 0x10) at += 4 + 4 * packet.readUInt16BE(at + 2);
  return packet.subarray(at, packet.length - (packet[0] & 0x20 ? packet.at(-1) : 0));
}

// A peer connection of one call, with all candidates in its descriptions.
class Connection {
  constructor(call) {
    Object.assign(this, { call, ssrc: crypto.randomInt(1, 2 ** 31), payloadType: OPUS });
    Object.assign(this, { sequence: crypto.randomInt(65_536), timestamp: crypto.randomInt(2 ** 31) });
    const options = { iceServers: [], bindAddress: call.session.address, disableAutoNegotiation: true };
    this.pc = new ndc.PeerConnection(call.call, options);
    this.gathered = new Promise((resolve) => {
      this.pc.onGatheringStateChange((state) => state === 'complete' && resolve());
    });
    this.pc.onStateChange((state) => state === 'failed' && call.onFailed());
  }

  add(mid) {
    if (this.track) return;
    const audio = new ndc.Audio(mid, 'SendRecv');
    audio.addOpusCodec(this.payloadType);
    audio.addSSRC(this.ssrc, 'overheard', 'overheard', 'audio');
    this.track = this.pc.addTrack(audio);
    this.track.onMessage((packet) => this.call.onPacket('audio', payloadOf(packet)));
    // Opened when SRTP has its keys.
    this.track.onOpen(() => this.call.onConnected());
  }

  async offer() {
    this.add('0');
    this.pc.setLocalDescription('offer');
    await this.gathered;
    return this.pc.localDescription().sdp;
  }

  async answer(sdp) {
    this.payloadType = Number(/a=rtpmap:(\d+) opus/i.exec(sdp)[1]);
    this.add(/a=mid:(\S+)/.exec(sdp)[1]);
    this.pc.setRemoteDescription(sdp, 'offer');
    this.pc.setLocalDescription('answer');
    await this.gathered;
    return this.pc.localDescription().sdp;
  }

  async accept(sdp) {
    this.pc.setRemoteDescription(sdp, 'answer');
  }

  send(_kind, payload) {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = this.payloadType;
    header.writeUInt16BE(this.sequence, 2);
    header.writeUInt32BE(this.timestamp, 4);
    header.writeUInt32BE(this.ssrc, 8);
    this.sequence = (this.sequence + 1) & 0xffff;
    this.timestamp = (this.timestamp + 960) >>> 0;
    this.track.sendMessageBinary(Buffer.concat([header, payload]));
  }

  close() {
    this.pc.close();
  }
}

await serve(new Device(`node-datachannel ${version}, libdatachannel ${ndc.getLibraryVersion()}`, ['frames', 'audio'], (call) => new Connection(call)));
