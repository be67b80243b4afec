// Key agreement and security code of the profile `frames`, version 1 (design, section 1.6), SFrame with cipher suite 4
// (RFC 9605) and the frames that a device sends (section 1.7). Nothing here knows a WebRTC stack.
import crypto from 'node:crypto';
import fs from 'node:fs';

export const SUITE = 1;
const WINDOW = 256;
const KIND_IDS = { audio: 0, video: 2, screen: 4 };
const text = (word) => Buffer.from(word);
const hex = (word) => Buffer.from(word, 'hex');

// Ends the call; the message is the reason that goes with the hang-up.
export class Broken extends Error {}

const short = (number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(number);
  return bytes;
};
const items = (...parts) => Buffer.concat(parts.flatMap((part) => [short(part.length), part]));
const tenant = (party) => text(party.slice(party.lastIndexOf('@') + 1));
const digest = (...parts) => crypto.createHash('sha256').update(items(...parts)).digest();
const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), crypto.createHmac('sha256', key)).digest();
// RFC 5869, section 2.3, for at most one block.
const expand = (prk, info, length) => hmac(prk, info, Buffer.from([1])).subarray(0, length);

// First 16 bytes, big endian, modulo 10^20, padded to 20 digits, four groups of five.
const code = (hash) =>
  (BigInt(`0x${hash.subarray(0, 16).toString('hex')}`) % 10n ** 20n).toString().padStart(20, '0').match(/.{5}/g).join(' ');
// The code of the profile `dtls`; fingerprints are the 32 bytes of SHA-256 of both certificates.
export const dtlsCode = (id, caller, callee, callerFingerprint, calleeFingerprint) =>
  code(digest(text('overheard/1 dtls code'), id, text(caller), tenant(caller), text(callee), tenant(callee), callerFingerprint,
    calleeFingerprint));
export const commitment = (epk, nonce) => digest(text('overheard/1 commit'), epk, nonce);
export const keyId = (sender, kind) => KIND_IDS[kind] + (sender === 'callee' ? 1 : 0);

// A key pair and a nonce, for one offer or one answer.
export class Half {
  constructor() {
    const pair = crypto.generateKeyPairSync('x25519');
    this.secret = pair.privateKey;
    this.nonce = crypto.randomBytes(32);
    this.public = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  }
}

// `terms` holds everything that both devices hash, by name; the secret of `own` is used here and let go.
export class Agreed {
  constructor(terms, own, peer) {
    let z;
    try {
      const key = Buffer.concat([hex('302a300506032b656e032100'), peer]);
      const publicKey = crypto.createPublicKey({ key, format: 'der', type: 'spki' });
      z = crypto.diffieHellman({ privateKey: own.secret, publicKey });
    } catch {
      throw new Broken('low-order-key');
    }
    if (z.every((byte) => byte === 0)) throw new Broken('low-order-key');
    const agreed = digest(
      text('overheard/1 agreed'), text('frames'), terms.id, text(terms.caller), tenant(terms.caller), text(terms.callee),
      tenant(terms.callee), Buffer.from([terms.callerIntent]), Buffer.from([terms.calleeIntent]),
      Buffer.concat(terms.suites.map(short)), short(terms.suite), terms.commit, terms.epkCallee, terms.nonceCallee,
      Buffer.alloc(0), terms.epkCaller, terms.nonceCaller,
    );
    this.transcript = digest(text('overheard/1 transcript'), agreed, Buffer.alloc(0));
    this.prk = hmac(this.transcript, z);
    this.keyFileLine = `AGREE ${terms.id.toString('hex')} ${z.toString('hex')}`;
    this.code = code(digest(text('overheard/1 security code'), agreed));
  }

  baseKey(sender, kind) {
    return expand(this.prk, items(text('overheard/1 sframe'), text(sender), text(kind)), 16);
  }

  confirmation(sender) {
    return hmac(expand(this.prk, items(text('overheard/1 confirm'), text(sender)), 32), this.transcript);
  }

  confirms(sender, confirmation) {
    return confirmation.length === 32 && crypto.timingSafeEqual(this.confirmation(sender), confirmation);
  }
}

// One SFrame key (RFC 9605, section 4.4.2). Key ids stay below 8, so they stand in the first byte.
export class Key {
  constructor(kid, baseKey) {
    Object.assign(this, { kid, next: 0, opened: new Set() });
    const prk = hmac(Buffer.alloc(0), baseKey);
    const tail = Buffer.from([0, 0, 0, 0, 0, 0, 0, kid, 0, 4]);
    this.key = expand(prk, Buffer.concat([text('SFrame 1.0 Secret key '), tail]), 16);
    this.salt = expand(prk, Buffer.concat([text('SFrame 1.0 Secret salt '), tail]), 12);
  }

  nonce(counter) {
    const nonce = Buffer.from(this.salt);
    nonce.writeUIntBE(Number(BigInt(nonce.readUIntBE(6, 6)) ^ BigInt(counter)), 6, 6);
    return nonce;
  }

  seal(frame) {
    const counter = this.next++;
    const digits = counter.toString(16);
    const long = counter > 7 ? hex(digits.padStart(digits.length + (digits.length % 2), '0')) : Buffer.alloc(0);
    const first = (this.kid << 4) | (long.length ? 8 | (long.length - 1) : counter);
    const header = Buffer.concat([Buffer.from([first]), long]);
    const cipher = crypto.createCipheriv('aes-128-gcm', this.key, this.nonce(counter)).setAAD(header);
    return Buffer.concat([header, cipher.update(frame), cipher.final(), cipher.getAuthTag()]);
  }

  // The frame; null when it does not open, and empty when it was opened before.
  open(sealed) {
    if (sealed.length < 17 || (sealed[0] & 0xf0) !== this.kid << 4) return null;
    const extra = sealed[0] & 8 ? (sealed[0] & 7) + 1 : 0;
    if (extra > 6 || sealed.length < 17 + extra) return null;
    const counter = extra ? sealed.readUIntBE(1, extra) : sealed[0] & 7;
    let frame;
    try {
      const opener = crypto.createDecipheriv('aes-128-gcm', this.key, this.nonce(counter));
      opener.setAAD(sealed.subarray(0, 1 + extra)).setAuthTag(sealed.subarray(-16));
      frame = Buffer.concat([opener.update(sealed.subarray(1 + extra, -16)), opener.final()]);
    } catch {
      return null;
    }
    const newest = Math.max(0, ...this.opened);
    if (counter + WINDOW < newest || this.opened.has(counter)) return Buffer.alloc(0);
    this.opened.forEach((seen) => seen + WINDOW < newest && this.opened.delete(seen));
    this.opened.add(counter);
    return frame;
  }
}

function clip(kind) {
  const file = fs.readFileSync(new URL(`../../nodes/clips/${kind}.frames`, import.meta.url));
  const frames = [];
  for (let at = 0; at < file.length; ) {
    const end = at + 2 + file.readUInt16BE(at);
    frames.push(file.subarray(at + 2, end));
    at = end;
  }
  return frames;
}

const FRAMES = { audio: clip('audio'), video: clip('video') };
FRAMES.screen = FRAMES.video;

// Frame `n` of a sender; every tenth carries a marker: in the padding of an Opus packet (RFC 6716, section 3.2.5), behind
// the last partition of VP8.
export function frame(id, sender, kind, n) {
  const plain = FRAMES[kind][n % FRAMES[kind].length];
  if (n % 10) return plain;
  const number = Buffer.alloc(4);
  number.writeUInt32BE(n);
  const marker = digest(text('overheard/1 canary'), id, text(sender), text(kind), number);
  const head = kind === 'audio' ? Buffer.from([plain[0] | 3, 0x41, 32]) : plain.subarray(0, 1);
  return Buffer.concat([head, plain.subarray(1), marker]);
}
