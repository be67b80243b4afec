// One device behind the driver protocol of overheard, version 1. The WebRTC stack is handed in as `connect`, which makes the
// connection of a call; a stack that seals and counts frames on its own hands in its kind of call as well.
//
// Invariant: every request is answered once; what cannot be read harms nobody.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { Broken, Half, SUITE, commitment } from './agreement.mjs';
import { Call, PER_SECOND, claim, out, signal } from './call.mjs';

const METHODS = {
  hello: { protocol: 'object' },
  open: { folder: 'string', party: 'string', profile: 'string', address: 'string', e2ee: 'boolean' },
  place: { to: 'object', media: 'object', kind: 'string', policy: 'string' },
  answer: { call: 'string', policy: 'string' },
  decline: { call: 'string' },
  'hang-up': { call: 'string' },
  talk: { call: 'string', ms: 'number' },
  invoke: { call: 'string', feature: 'string', with: 'string' },
  toggle: { e2ee: 'boolean' },
  chat: { to: 'string', text: 'string' },
  signal: { message: 'object' },
  keys: {},
  cancel: { request: 'number' },
  close: {},
  shutdown: {},
};
const PROFILES = ['frames', 'dtls', 'own'];
const REASONS = ('declined no-answer busy unknown-user commitment-mismatch confirmation-mismatch confirmation-missing ' +
  'low-order-key unoffered-suite fingerprint-mismatch fingerprint-changed unsealed-frame set-up-timeout client-failed').split(' ');
const OF_A_CALL = {
  answer: 'onAnswer', reveal: 'onReveal', confirm: 'onConfirm', route: 'onRoute', 'sdp-offer': 'onSdpOffer',
  'sdp-answer': 'onSdpAnswer',
};

class Refused extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

export class Device {
  constructor(implementation, capabilities, connect, CallHere = Call) {
    Object.assign(this, { implementation, connect, CallHere, calls: new Map(), invoked: new Map(), keyLines: [], policy: 'Disabled' });
    this.capabilities = Object.fromEntries(capabilities.map((word) => [word, true]));
  }

  ownIntent(policy) {
    this.policy = policy;
    return Number(this.session.e2ee && this.session.eligible && policy === 'DisabledUserOverride');
  }

  carries(kind) {
    return kind in PER_SECOND && Boolean(this.capabilities[kind]);
  }

  callNamed(name, ready = () => true) {
    const call = this.calls.get(name);
    if (!call || !ready(call)) throw new Refused('wrong-state', 'there is no such call, or it is too late or too early');
    return call;
  }

  async ask(method, p, deadline) {
    if (!Object.hasOwn(METHODS, method)) throw new Refused('unknown-method', 'this version of the protocol has no such method');
    for (const [name, type] of Object.entries(METHODS[method]))
      if (typeof p[name] !== type || p[name] === null) throw new Refused('invalid-params', `\`${name}\` is missing or of another type`);
    if (!['hello', 'shutdown'].includes(method) && !this.greeted) throw new Refused('wrong-state', 'say `hello` first');
    const needs = !['hello', 'open', 'cancel', 'close', 'shutdown'].includes(method);
    if (needs && !this.session) throw new Refused('wrong-state', 'open a session first');
    return (await this[method](p, deadline)) ?? {};
  }

  hello(p) {
    if (!(p.protocol.min <= 1 && p.protocol.max >= 1)) throw new Refused('unsupported', 'this driver speaks version 1 alone');
    this.greeted = true;
    return { protocol: 1, implementation: this.implementation, capabilities: this.capabilities };
  }

  // Whatever the client needs before it can be called, within so many milliseconds.
  async prepare(_within) {}

  async open(p, deadline) {
    if (this.session) throw new Refused('wrong-state', 'the session is open already');
    if (!PROFILES.includes(p.profile) || !this.capabilities[p.profile])
      throw new Refused('unsupported', 'this client does not declare the profile');
    this.session = { eligible: true, withheld: [], settings: [], device: '', ...p };
    try {
      await this.prepare(deadline ?? 20_000);
    } catch (error) {
      await this.close();
      throw error;
    }
    const { party, device, platform, version, e2ee } = this.session;
    signal('register', { party, device, platform, version, e2ee });
  }

  place(p) {
    if (!p.to.length || !p.to.every((to) => typeof to === 'string')) throw new Refused('invalid-params', '`to` names nobody');
    if (!p.media.every((kind) => this.carries(kind))) throw new Refused('unsupported', 'this client does not declare the media');
    const alone = p.to.length === 1 && p.to[0].includes('@') && p.kind === 'unscheduled';
    const intent = alone ? this.ownIntent(p.policy) : 0;
    const { profile } = this.session;
    const half = intent && profile === 'frames' ? new Half() : null;
    const offer = {
      call: crypto.randomBytes(16).toString('hex'), from: this.session.party, to: p.to, media: p.media, kind: p.kind,
      profile, intent, suites: half ? [SUITE] : [],
      commit: half ? commitment(half.public, half.nonce).toString('hex') : '',
    };
    signal('offer', offer);
    const placed = new this.CallHere(this, offer.call, 'caller', offer.from, p.to[0], [intent, 0], offer);
    placed.half = half;
    placed.later(30_000, () => placed.answered || placed.leave('no-answer'));
    this.crossed(placed);
    return { call: offer.call };
  }

  offered(m) {
    if (this.calls.has(m.call) || !/^[0-9a-f]{32}$/.test(m.call)) return;
    const media = m.media.filter((kind) => this.carries(kind));
    const intents = [0, Number(m.intent === 1)];
    const call = new this.CallHere(this, m.call, 'callee', m.from, this.session.party, intents, { ...m, media });
    if (this.crossed(call)) return;
    claim(call.call, 'ringing');
    signal('ringing', { call: call.call });
  }

  // Of two offers that cross one stands; who takes back its own answers the other at once.
  crossed(call) {
    const other = [...this.calls.values()].find((other) => call.crosses(other));
    if (!other) return false;
    const [own, its] = call.role === 'caller' ? [call, other] : [other, call];
    if (own.rank(its) > its.rank(own)) {
      own.leave('busy');
      its.answer(this.policy);
    }
    return true;
  }

  answer(p) {
    this.callNamed(p.call, (call) => call.role === 'callee' && !call.answered && !call.over).answer(p.policy);
  }

  decline(p) {
    this.callNamed(p.call, (call) => call.role === 'callee' && !call.answered && !call.over).decline();
  }

  async 'hang-up'(p) {
    const call = this.callNamed(p.call);
    await call.settle();
    call.leave();
  }

  talk(p) {
    return this.callNamed(p.call).talk(p.ms);
  }

  async invoke(p) {
    const call = this.callNamed(p.call);
    if (!call.answered || call.over) return { shown: false, result: 'refused', reason: 'no-call' };
    const shown = !(call.sealed() && this.session.withheld.includes(p.feature));
    const answered = new Promise((resolve) => this.invoked.set(`${p.call} ${p.feature}`, resolve));
    signal('invoke', { call: p.call, feature: p.feature, with: p.with });
    return { shown, ...(await answered) };
  }

  // Nobody answers what was asked for in a call that is over.
  forget(call) {
    for (const [asked, resolve] of this.invoked)
      if (asked.startsWith(call)) resolve({ result: 'refused', reason: 'no-call' });
  }

  toggle(p) {
    this.session.e2ee = p.e2ee;
    signal('preference', { e2ee: p.e2ee });
  }

  chat(p) {
    signal('chat', { to: p.to, text: p.text });
  }

  async signal({ message: m, policy }) {
    this.policy = policy ?? this.policy;
    const call = this.calls.get(m.call);
    try {
      if (call && Object.hasOwn(OF_A_CALL, m.type)) await call[OF_A_CALL[m.type]](m);
      else await this.arrived(call, m);
    } catch (error) {
      if (!(error instanceof Broken)) console.error(error); // what cannot be read is ignored, or ends its call
      call?.leave(error instanceof Broken ? error.message : 'client-failed');
    }
  }

  async arrived(call, m) {
    if (m.type === 'hang-up') await call?.settle();
    if (m.type === 'offer') this.offered(m);
    else if (m.type === 'ringing' && call) claim(m.call, 'ringing');
    else if (m.type === 'decline' && call) call.endedByOther('declined');
    else if (m.type === 'hang-up' && call) call.endedByOther(REASONS.includes(m.reason) ? m.reason : null);
    else if (m.type === 'invoked') this.invoked.get(`${m.call} ${m.feature}`)?.({ result: m.result, reason: m.reason ?? '' });
    else if (m.type === 'preference') this.session.e2ee = Boolean(m.e2ee);
    else if (m.type === 'chat') {
      const sha256 = crypto.createHash('sha256').update(m.text).digest('hex');
      claim('', { chat: { sha256, says_not_sealed: true } });
    } else if (m.type === 'error') out({ event: 'log', params: { text: `the call service refused a request: ${m.reason}` } });
  }

  // Lines for the key file beside those of the agreement.
  hopKeyLines() {
    return [];
  }

  keys() {
    const file = 'parties.keys';
    const lines = [...this.keyLines, ...this.hopKeyLines()];
    fs.writeFileSync(path.join(this.session.folder, file), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    return { file };
  }

  cancel() {}

  async close() {
    for (const call of this.calls.values()) call.leave();
    this.session = null;
  }

  async shutdown() {
    await this.close();
  }
}

async function answer(device, id, method, params, deadline) {
  try {
    out({ id, result: await device.ask(method, params, deadline) });
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    out({ id, error: { kind: error.kind ?? 'internal', message: error.message } });
  }
}

// Requests until `shutdown` or the end of standard input.
export async function serve(device) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let request;
    try {
      request = JSON.parse(line);
    } catch {
      continue; // without an id there is nobody to answer
    }
    if (typeof request?.id !== 'number') continue;
    const work = answer(device, request.id, String(request.method), request.params ?? {}, request.deadline_ms);
    // What takes its time is answered in its time; everything else in the order in which it was asked.
    if (!['talk', 'invoke'].includes(request.method)) await work;
    if (request.method === 'shutdown') break;
  }
  await device.close();
  process.exit(0);
}
