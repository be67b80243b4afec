// One SFrame key (RFC 9605, section 4.4) of cipher suite 4, AES_128_GCM_SHA256_128, with WebCrypto. Key ids stay below 8.
//
// Invariant: a counter is used once and opened once.
const WINDOW = 256;
const TAG = 16;
const text = (word) => new TextEncoder().encode(word);
const unhex = (word) => Uint8Array.from(word.match(/../g), (digits) => parseInt(digits, 16));

function joined(...parts) {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export class Key {
  static async of({ kid, baseKey }) {
    const material = await crypto.subtle.importKey('raw', unhex(baseKey), 'HKDF', false, ['deriveBits']);
    const tail = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, kid, 0, 4]);
    // HKDF with an empty salt is HKDF-Extract("", base key), then HKDF-Expand.
    const derived = async (label, length) => {
      const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: joined(text(label), tail) };
      return new Uint8Array(await crypto.subtle.deriveBits(algorithm, material, length * 8));
    };
    const key = new Key();
    const secret = await derived('SFrame 1.0 Secret key ', 16);
    key.key = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt']);
    key.salt = await derived('SFrame 1.0 Secret salt ', 12);
    return Object.assign(key, { kid, next: 0, newest: 0, opened: new Set() });
  }

  algorithm(counter, header) {
    const iv = this.salt.slice();
    for (let at = 11, rest = counter; rest > 0; at -= 1, rest = Math.floor(rest / 256)) iv[at] ^= rest % 256;
    return { name: 'AES-GCM', iv, additionalData: header, tagLength: 8 * TAG };
  }

  async seal(frame) {
    const counter = this.next++;
    const long = [];
    for (let rest = counter; counter > 7 && rest > 0; rest = Math.floor(rest / 256)) long.unshift(rest % 256);
    const header = Uint8Array.from([(this.kid << 4) | (long.length ? 8 | (long.length - 1) : counter), ...long]);
    const sealed = await crypto.subtle.encrypt(this.algorithm(counter, header), this.key, frame);
    return joined(header, new Uint8Array(sealed));
  }

  // The frame; null when it does not open, and empty when it was opened before.
  async open(sealed) {
    const extra = sealed[0] & 8 ? (sealed[0] & 7) + 1 : 0;
    if (sealed.length < 1 + TAG + extra || (sealed[0] & 0xf0) !== this.kid << 4 || extra > 6) return null;
    const header = sealed.slice(0, 1 + extra);
    const counter = extra ? header.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0) : sealed[0] & 7;
    let frame;
    try {
      frame = await crypto.subtle.decrypt(this.algorithm(counter, header), this.key, sealed.subarray(1 + extra));
    } catch {
      return null;
    }
    if (counter + WINDOW < this.newest || this.opened.has(counter)) return new Uint8Array(0);
    this.newest = Math.max(this.newest, counter);
    this.opened.add(counter);
    this.opened.forEach((seen) => seen + WINDOW < this.newest && this.opened.delete(seen));
    return new Uint8Array(frame);
  }
}
