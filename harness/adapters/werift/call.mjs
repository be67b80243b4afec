// One call at one device of the profiles `frames` and `dtls` (design, sections 1.6 to 1.8): what is claimed, what is answered,
// and when a frame may leave or be played. The WebRTC stack is handed in as `device.connect`.
//
// Invariant: in a sealed call no frame leaves and none is played before the other's confirmation was verified, nor unsealed;
// in one of the profile `dtls`, before the other's certificate was compared with its description.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agreed, Broken, Half, Key, SUITE, commitment, dtlsCode, frame, keyId } from './agreement.mjs';

const FEATURES = ('recording live-captions transcription transfer-blind transfer-safe transfer-consult merge park ' +
  'add-participant companion').split(' ');
export const PER_SECOND = { audio: 50, video: 30, screen: 30 };
const UNSEALED_IN_A_ROW = 25;

// Written at once, so that no line is lost at exit.
export function out(line) {
  let bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  while (bytes.length) {
    try {
      bytes = bytes.subarray(fs.writeSync(1, bytes));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
export const claim = (call, what) => out({ event: 'claim', params: { call, claim: what } });
export const signal = (type, fields) => out({ event: 'signal', params: { message: { type, ...fields } } });
const hex = (word) => Buffer.from(word, 'hex');
const hex32 = (word, reason) => {
  if (!/^[0-9a-f]{64}$/i.test(word)) throw new Broken(reason);
  return hex(word);
};

export class Call {
  constructor(device, call, role, caller, callee, intents, offer) {
    Object.assign(this, { device, session: device.session, call, role, caller, callee, media: offer.media });
    this.profile = offer.profile;
    [this.ownIntent, this.otherIntent] = intents;
    Object.assign(this, { id: hex(call), other: role === 'caller' ? 'callee' : 'caller', suites: offer.suites ?? [] });
    Object.assign(this, { commit: offer.commit ?? '', oneToOne: offer.to.length === 1 && offer.to[0].includes('@') });
    Object.assign(this, { terms: {}, keys: {}, sent: {}, played: {}, refused: 0 });
    device.calls.set(call, this);
  }

  sealed() {
    return Boolean(this.answered && this.ownIntent && this.otherIntent);
  }

  // Whether frames are sealed one by one.
  seals() {
    return this.sealed() && this.profile === 'frames';
  }

  later(ms, late) {
    setTimeout(() => this.up || this.over || late(), ms).unref();
  }

  answeredHere() {
    const withheld = this.sealed() ? this.session.withheld : [];
    claim(this.call, { controls: FEATURES.filter((feature) => !withheld.includes(feature)) });
    if (this.sealed() && this.role === 'callee') this.notApplied();
    this.later(this.session.set_up_ms ?? 10_000, () => {
      const waits = this.seals() && !this.confirmed && (this.connected || !this.connection);
      this.leave(waits ? 'confirmation-missing' : 'set-up-timeout');
    });
  }

  notApplied() {
    const settings = this.session.settings.filter((setting) => this.session.withheld.includes(setting));
    settings.forEach((setting) => claim(this.call, { 'not-applied': setting }));
  }

  answer(policy) {
    this.ownIntent = this.device.ownIntent(policy) & this.otherIntent;
    this.answered = true;
    const answer = { call: this.call, intent: this.ownIntent, suite: 0, epk: '', nonce: '', ek: '' };
    if (this.seals()) {
      this.half = new Half();
      this.terms = { suite: SUITE, epkCallee: this.half.public, nonceCallee: this.half.nonce };
      Object.assign(answer, { suite: SUITE, epk: this.half.public.toString('hex'), nonce: this.half.nonce.toString('hex') });
    }
    signal('answer', answer);
    claim(this.call, 'answered');
    this.answeredHere();
  }

  agree(peer, epkCaller, nonceCaller) {
    const intents = { [this.role]: this.ownIntent, [this.other]: this.otherIntent };
    const { id, caller, callee, suites } = this;
    const terms = { ...this.terms, id, caller, callee, suites, epkCaller, nonceCaller, commit: hex(this.commit) };
    const half = this.half;
    this.half = null;
    this.agreed = new Agreed({ ...terms, callerIntent: intents.caller, calleeIntent: intents.callee }, half, peer);
  }

  makeKeys() {
    this.device.keyLines.push(this.agreed.keyFileLine);
    for (const kind of this.media)
      for (const sender of [this.role, this.other]) {
        const [baseKey, kid] = [this.agreed.baseKey(sender, kind), keyId(sender, kind)];
        this.keys[sender + kind] = this.key(kid, baseKey);
        this.device.keyLines.push(`SFRAME 4 ${kid} ${baseKey.toString('hex')}`);
      }
  }

  key(kid, baseKey) {
    return new Key(kid, baseKey);
  }

  onAnswer(m) {
    if (this.role !== 'caller' || this.answered || this.over) return;
    this.answered = true;
    this.otherIntent = Number(m.intent === 1) & this.ownIntent;
    this.answeredHere();
    if (!this.seals()) return;
    if (!this.suites.includes(m.suite) || m.ek) throw new Broken('unoffered-suite');
    const [epk, nonce] = [hex32(m.epk, 'client-failed'), hex32(m.nonce, 'client-failed')];
    this.terms = { suite: m.suite, epkCallee: epk, nonceCallee: nonce };
    const half = this.half;
    this.agree(epk, half.public, half.nonce);
    this.makeKeys();
    const confirmation = this.agreed.confirmation('caller').toString('hex');
    const [ownEpk, ownNonce] = [half.public.toString('hex'), half.nonce.toString('hex')];
    signal('reveal', { call: this.call, epk: ownEpk, nonce: ownNonce, ct: '', confirmation });
  }

  onReveal(m) {
    if (this.role !== 'callee' || !this.half || this.over) return;
    const [epk, nonce] = [hex32(m.epk, 'commitment-mismatch'), hex32(m.nonce, 'commitment-mismatch')];
    if (commitment(epk, nonce).toString('hex') !== this.commit || m.ct) throw new Broken('commitment-mismatch');
    this.agree(epk, epk, nonce);
    if (!this.agreed.confirms('caller', hex(m.confirmation))) throw new Broken('confirmation-mismatch');
    this.makeKeys();
    signal('confirm', { call: this.call, confirmation: this.agreed.confirmation('callee').toString('hex') });
    this.otherConfirmed();
  }

  onConfirm(m) {
    if (this.role !== 'caller' || !this.agreed || this.over) return;
    if (!this.agreed.confirms('callee', hex(m.confirmation))) throw new Broken('confirmation-mismatch');
    this.otherConfirmed();
  }

  otherConfirmed() {
    const { code } = this.agreed;
    Object.assign(this, { confirmed: true, agreed: null });
    for (const what of ['confirmed', { lock: true }, { code }]) claim(this.call, what);
    this.mediaMayFlow();
  }

  async onRoute(m) {
    if (!this.answered || this.over) return;
    this.relayed = m.path === 'relay';
    if (this.role !== 'caller') return;
    this.connection = this.device.connect(this);
    const sdp = await this.connection.offer(this.media);
    if (!this.over) signal('sdp-offer', { call: this.call, sdp });
  }

  async onSdpOffer(m) {
    const again = Boolean(this.connection);
    if (!this.answered || this.over) return;
    this.fingerprint(m.sdp);
    if (again && this.sealed()) return;
    this.connection ??= this.device.connect(this);
    const sdp = await this.connection.answer(m.sdp, this.media);
    if (!this.over) signal('sdp-answer', { call: this.call, sdp });
  }

  async onSdpAnswer(m) {
    if (!this.connection || this.over) return;
    const first = !this.fingerprints;
    this.fingerprint(m.sdp);
    if (first) await this.connection.accept(m.sdp);
  }

  // There is exactly one, and it does not change; else the call ends. The stack compares it with the certificate.
  fingerprint(sdp) {
    const found = new Set([...sdp.matchAll(/^a=fingerprint:sha-256 (\S+)/gim)].map((match) => match[1].toUpperCase()));
    if (found.size !== 1) throw new Broken('fingerprint-mismatch');
    const [digits] = found;
    if (this.fingerprints && this.fingerprints !== digits) throw new Broken('fingerprint-changed');
    this.fingerprints = digits;
  }

  // `own` and `other`: SHA-256 of the certificates of the handshake, where the stack tells them.
  onConnected(own, other) {
    if (this.over) return;
    this.connected = true;
    if (this.sealed() && this.profile === 'dtls') {
      if (!own || this.fingerprints !== other) return this.leave('fingerprint-mismatch');
      const bytes = { [this.role]: own, [this.other]: other };
      const [caller, callee] = ['caller', 'callee'].map((role) => hex(bytes[role].replaceAll(':', '')));
      const code = dtlsCode(this.id, this.caller, this.callee, caller, callee);
      for (const what of [{ lock: true }, { code }]) claim(this.call, what);
    }
    this.mediaMayFlow();
  }

  onFailed() {
    if (!this.up) this.leave('set-up-timeout');
  }

  openToMedia() {
    return Boolean(this.connected && !this.over && (this.confirmed || !this.seals()));
  }

  mediaMayFlow() {
    if (!this.openToMedia() || this.up) return;
    this.up = true;
    claim(this.call, 'connected');
  }

  ledger(direction, counts, kind, plain) {
    this.ledgerLine(direction, counts, kind, plain.length, crypto.createHash('sha256').update(plain).digest('hex'));
  }

  ledgerLine(direction, counts, kind, bytes, sha256) {
    const index = counts[kind] ?? 0;
    counts[kind] = index + 1;
    out({ event: 'frame', params: { call: this.call, direction, kind, index, bytes, sha256 } });
  }

  async talk(ms) {
    await Promise.all(this.media.map((kind) => this.say(kind, Math.floor((ms * PER_SECOND[kind]) / 1000))));
  }

  async say(kind, frames) {
    const start = performance.now();
    for (let n = 0; n < frames; n++) {
      const wait = start + (n * 1000) / PER_SECOND[kind] - performance.now();
      if (wait > 0) await sleep(wait);
      if (!this.openToMedia()) return;
      const plain = frame(this.id, this.role, kind, this.sent[kind] ?? 0);
      // Without its key no frame leaves a sealed call.
      const sealed = this.seals() ? this.keys[this.role + kind].seal(plain) : plain;
      this.ledger('sent', this.sent, kind, plain);
      this.connection.send(kind, sealed);
    }
  }

  onPacket(kind, payload) {
    if (!payload.length || !this.openToMedia()) return;
    const plain = this.seals() ? this.keys[this.other + kind].open(payload) : payload;
    if (plain?.length) {
      this.refused = 0;
      this.ledger('received', this.played, kind, plain);
      return;
    }
    claim(this.call, { 'not-opened': 1 });
    this.refused += plain === null ? 1 : 0;
    if (this.refused >= UNSEALED_IN_A_ROW) this.leave('unsealed-frame');
  }

  // Waits until what has been sent is out and what has arrived is played, where the stack does both on its own.
  async settle() {}

  leave(reason) {
    if (this.over) return;
    signal('hang-up', { call: this.call, reason: reason ?? '' });
    this.end(reason ?? null, true);
  }

  decline() {
    signal('decline', { call: this.call });
    this.end('declined', true);
  }

  endedByOther(reason) {
    const unanswered = this.role === 'callee' && !this.answered && !this.over;
    this.end(reason, false);
    // Where nobody answers, voicemail would have taken an ordinary call.
    const sealed = this.otherIntent && this.device.ownIntent(this.device.policy);
    if (unanswered && reason === 'no-answer' && sealed) this.notApplied();
  }

  // The keys of a call are gone when it has ended.
  end(reason, own) {
    if (this.over) return;
    Object.assign(this, { over: true, half: null, agreed: null, keys: {} });
    claim(this.call, { ended: { reason, own } });
    this.device.forget(this.call);
    this.connection?.close();
  }

  // Whether two calls between the same two people, one in each direction, are both unanswered.
  crosses(other) {
    const waiting = [this, other].every((call) => call.oneToOne && !call.answered && !call.over);
    return waiting && this.role !== other.role && this.caller === other.callee && this.callee === other.caller;
  }

  // Of two calls that cross, the one of the smaller rank stands (design, section 1.6, step 9).
  rank(other) {
    return (this.commit && other.commit ? this.commit : '') + this.call;
  }
}
