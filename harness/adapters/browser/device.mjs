// A device whose calls run in a page of a browser: the agreement is made here, frames are sealed, opened and hashed in the
// page's worker.
//
// Invariant: the worker gets the keys of a call when frames may flow and not before; without them it lets nothing through.
import { Call, PER_SECOND, claim } from '../werift/call.mjs';
import { Device } from '../werift/device.mjs';
import { frame } from '../werift/agreement.mjs';
import { Browser } from './browser.mjs';

// Longer than `talk` itself takes.
const TALKED_WITHIN = 4_000;

// No header extensions: they would tell levels of the voice in the clear, and what we send has none. No feedback for codecs
// that a section does not name: Firefox leaves it there, and Chromium takes no such description.
function plain(sdp) {
  let types = [];
  const kept = sdp.split(/(?<=\n)/).filter((line) => {
    if (line.startsWith('m=')) types = line.trimEnd().split(' ').slice(3);
    const feedback = /^a=rtcp-fb:(\S+)/.exec(line)?.[1] ?? '*';
    return !/^a=extmap(-allow-mixed)?\b/.test(line) && (feedback === '*' || types.includes(feedback));
  });
  return kept.join('');
}

// The connection of a call, in the page.
class Connection {
  constructor(call, browser) {
    const { relay } = call.session;
    const turn = call.relayed && relay ? { urls: relay.url, username: relay.username, credential: relay.password } : null;
    Object.assign(this, { call: call.call, browser, turn });
  }

  async offer(media) {
    return this.own(await this.browser.ask('offer', { call: this.call, media, turn: this.turn }));
  }

  async answer(sdp, media) {
    return this.own(await this.browser.ask('answer', { call: this.call, media, turn: this.turn, sdp: plain(sdp) }));
  }

  async accept(sdp) {
    await this.browser.ask('accept', { call: this.call, sdp: plain(sdp) });
  }

  // The name of the stream tells the screen from the camera; browsers make names of their own.
  own({ sdp, screen }) {
    return plain(screen ? sdp.replaceAll(`msid:${screen} `, 'msid:screen ') : sdp);
  }

  close() {
    this.browser.ask('close', { call: this.call }).catch(() => {});
  }
}

class BrowserCall extends Call {
  key(kid, baseKey) {
    return { kid, baseKey: baseKey.toString('hex') };
  }

  get browser() {
    return this.device.browser;
  }

  mediaMayFlow() {
    if (!this.openToMedia() || this.up || this.opening) return;
    this.opening = true;
    const mine = (role) => Object.fromEntries(this.media.map((kind) => [kind, this.keys[role + kind]]));
    const keys = this.seals() ? { seals: mine(this.role), opens: mine(this.other) } : null;
    const open = this.browser.ask('open', { call: this.call, keys });
    open.then(() => super.mediaMayFlow(), () => this.leave('client-failed'));
  }

  async talk(ms) {
    if (!this.openToMedia()) return;
    this.spoken ??= {};
    const frames = {};
    for (const kind of this.media) {
      const [first, count] = [this.spoken[kind] ?? 0, Math.floor((ms * PER_SECOND[kind]) / 1000)];
      this.spoken[kind] = first + count;
      frames[kind] = Array.from({ length: count }, (_, n) => frame(this.id, this.role, kind, first + n).toString('base64'));
    }
    await this.browser.ask('talk', { call: this.call, frames }, ms + TALKED_WITHIN);
  }

  async settle() {
    if (this.up && !this.over) await this.browser.ask('settle', { call: this.call }).catch((error) => console.error(error));
  }

  happened(event, what) {
    if (this.over) return;
    if (event === 'frame') {
      const counts = what.direction === 'sent' ? this.sent : this.played;
      this.ledgerLine(what.direction, counts, what.kind, what.bytes, what.sha256);
    } else if (event === 'not-opened') claim(this.call, { 'not-opened': 1 });
    else if (event === 'unsealed') this.leave('unsealed-frame');
    else if (event === 'connected') this.onConnected(what.own, what.other);
    else if (event === 'failed') this.onFailed();
  }
}

export class BrowserDevice extends Device {
  // `launch` as in `Browser.start`; `hopKeys` reads key lines out of the folder of the profile, where the browser writes any.
  constructor(implementation, capabilities, launch, hopKeys = () => []) {
    super(implementation, capabilities, (call) => new Connection(call, this.browser), BrowserCall);
    Object.assign(this, { launch, hopKeys });
  }

  async prepare(within) {
    this.browser = new Browser((event, what) => {
      if (event === 'log') console.error(what.text);
      else this.calls.get(what.call)?.happened(event, what);
    });
    await this.browser.start(this.session.folder, this.launch, within);
  }

  hopKeyLines() {
    return this.browser ? this.hopKeys(this.browser.profile) : [];
  }

  async close() {
    super.close();
    await this.browser?.close();
    this.browser = null;
  }
}
