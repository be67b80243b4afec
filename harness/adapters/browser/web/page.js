// One RTCPeerConnection and one worker for each call. Requests come as server-sent events; what happened is posted in the
// order in which it happened.
//
// Invariant: each sender and each receiver has its transform before anything can pass it.
const OUT_WITHIN = 250;
const CODECS = { audio: 'audio/opus', video: 'video/VP8' };
const calls = new Map();
const pending = [];
let posting = false;
let voice;

async function tell(line) {
  pending.push(line);
  if (posting) return;
  posting = true;
  while (pending.length) await fetch('told', { method: 'POST', body: JSON.stringify(pending.splice(0)) });
  posting = false;
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const fingerprint = (sdp) => /^a=fingerprint:sha-256 (\S+)/im.exec(sdp)?.[1].toUpperCase();

class Call {
  constructor(call, media, turn) {
    Object.assign(this, { call, media, sent: 0, hooked: new Set(), asked: [], tracks: [] });
    this.worker = new Worker('worker.js', { type: 'module' });
    this.worker.onmessage = ({ data }) => this.worked(data);
    this.worker.onerror = (event) => tell({ event: 'log', text: `worker: ${event.message}` });
    this.pc = new RTCPeerConnection({ iceServers: turn ? [turn] : [], iceTransportPolicy: turn ? 'relay' : 'all' });
    this.pc.ontrack = ({ transceiver, track, streams }) => this.hookBoth(transceiver, this.kindOf(track, streams));
    this.pc.onconnectionstatechange = () => this.stateChanged();
  }

  kindOf(track, streams) {
    if (track.kind === 'audio') return 'audio';
    return streams.some((stream) => stream.id === 'screen') ? 'screen' : 'video';
  }

  hook(end, side, kind) {
    if (this.hooked.has(end)) return;
    this.hooked.add(end);
    end.transform = new RTCRtpScriptTransform(this.worker, { side, kind });
  }

  // Both at once and at the first sight of them: Chromium passes everything through an end that has no transform when the
  // description has been applied, and takes none any more.
  hookBoth(transceiver, kind) {
    this.hook(transceiver.sender, 'send', kind);
    this.hook(transceiver.receiver, 'receive', kind);
  }

  async stateChanged() {
    const state = this.pc.connectionState;
    if (state === 'failed') tell({ event: 'failed', call: this.call });
    if (state !== 'connected' || this.told) return;
    this.told = true;
    tell({ event: 'connected', call: this.call, own: fingerprint(this.pc.localDescription.sdp), other: await this.seen() });
  }

  // The certificate of the handshake; where the browser does not show it, the one of the description that it has compared.
  async seen() {
    const certificate = this.pc.getSenders()[0]?.transport?.getRemoteCertificates?.()[0];
    if (!certificate) return fingerprint(this.pc.remoteDescription.sdp);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', certificate));
    return [...digest].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
  }

  // What is sent, each kind in a stream of its own. The frames of microphone and camera are a clock and nothing more.
  async capture() {
    for (const kind of this.media) this.tracks.push(kind === 'audio' ? voice.clone() : await camera());
  }

  add() {
    if (this.added) return;
    this.added = true;
    this.media.forEach((kind, at) => {
      const track = this.tracks[at];
      const stream = new MediaStream([track]);
      if (kind === 'screen') this.screen = stream.id;
      const sender = this.pc.addTrack(track, stream);
      const transceiver = this.pc.getTransceivers().find((one) => one.sender === sender);
      this.hookBoth(transceiver, kind);
      const codecs = RTCRtpReceiver.getCapabilities(track.kind).codecs;
      transceiver.setCodecPreferences(codecs.filter((codec) => codec.mimeType === CODECS[track.kind]));
    });
  }

  async described() {
    await this.pc.setLocalDescription();
    while (this.pc.iceGatheringState !== 'complete')
      await new Promise((resolve) => this.pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    return { sdp: this.pc.localDescription.sdp, screen: this.screen };
  }

  // Answered at the latest when the call is closed.
  ask(message) {
    return new Promise((resolve) => {
      this.asked.push({ until: message.op, resolve });
      this.worker.postMessage(message);
    });
  }

  worked({ done, ...what }) {
    if (done) {
      const at = this.asked.findIndex((one) => one.until === done);
      return at < 0 ? undefined : this.asked.splice(at, 1)[0].resolve();
    }
    if (what.direction === 'sent' && what.kind === 'audio') this.sent += 1;
    tell({ call: this.call, ...what });
  }

  // Until what was handed to the browser has left it.
  async out() {
    const late = performance.now() + OUT_WITHIN;
    while (performance.now() < late) {
      let packets = 0;
      (await this.pc.getStats()).forEach((one) => {
        if (one.type === 'outbound-rtp' && one.kind === 'audio') packets += one.packetsSent;
      });
      if (packets >= this.sent && this.media.length === 1) return;
      await pause(10);
    }
  }

  close() {
    this.pc.close();
    this.worker.terminate();
    this.tracks.forEach((track) => track.stop());
    for (const { resolve } of this.asked.splice(0)) resolve();
    calls.delete(this.call);
  }
}

async function camera() {
  const video = { width: 160, height: 120, frameRate: 30 };
  return (await navigator.mediaDevices.getUserMedia({ video })).getVideoTracks()[0];
}

async function called({ call, media, turn }) {
  const known = calls.get(call) ?? new Call(call, media, turn);
  if (!calls.has(call)) {
    calls.set(call, known);
    await known.capture();
  }
  return known;
}

const methods = {
  async offer(p) {
    const call = await called(p);
    call.add();
    return call.described();
  },
  async answer(p) {
    const call = await called(p);
    await call.pc.setRemoteDescription({ type: 'offer', sdp: p.sdp });
    call.add();
    return call.described();
  },
  async accept(p) {
    await calls.get(p.call).pc.setRemoteDescription({ type: 'answer', sdp: p.sdp });
  },
  async open(p) {
    await calls.get(p.call).ask({ op: 'open', keys: p.keys });
  },
  async talk(p) {
    const call = calls.get(p.call);
    await call?.ask({ op: 'talk', frames: p.frames });
    await call?.out();
  },
  async settle(p) {
    const call = calls.get(p.call);
    await call?.ask({ op: 'stop' });
    await call?.out();
  },
  async close(p) {
    calls.get(p.call)?.close();
  },
};

async function asked({ data }) {
  const { id, method, params } = JSON.parse(data);
  try {
    tell({ id, result: (await methods[method](params)) ?? {} });
  } catch (error) {
    tell({ id, error: `${method}: ${error}` });
  }
}

const quiet = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
addEventListener('error', (event) => tell({ event: 'log', text: `page: ${event.message}` }));
addEventListener('unhandledrejection', (event) => tell({ event: 'log', text: `page: ${event.reason}` }));
[voice] = (await navigator.mediaDevices.getUserMedia({ audio: quiet })).getAudioTracks();
const requests = new EventSource('requests');
requests.onmessage = asked;
requests.onopen = () => tell({ event: 'ready' });
