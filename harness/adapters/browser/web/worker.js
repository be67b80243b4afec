// The encoded frames of one call: what is sent gets the content of the clips, is written down and sealed; what arrives is
// opened and written down.
//
// Invariant: nothing passes before `open` or after `stop`, and in a sealed call nothing passes unsealed.
import { Key } from './sframe.js';

const UNSEALED_IN_A_ROW = 25;
const queues = {};
const busy = new Set();
let open = false;
let seals = null;
let opens = null;
let refused = 0;
let talked = null;

const unbase64 = (word) => Uint8Array.from(atob(word), (letter) => letter.charCodeAt(0));

async function line(direction, kind, frame) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', frame));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  postMessage({ event: 'frame', direction, kind, bytes: frame.length, sha256 });
}

async function send(kind, encoded, controller) {
  const frame = open && queues[kind]?.shift();
  if (!frame) return;
  // Without its key no frame leaves a sealed call.
  const sealed = seals ? await seals[kind].seal(frame) : frame;
  await line('sent', kind, frame);
  encoded.data = sealed.buffer;
  controller.enqueue(encoded);
  if (talked && Object.values(queues).every((queue) => !queue.length)) talked();
}

async function receive(kind, encoded, controller) {
  const arrived = new Uint8Array(encoded.data);
  if (!arrived.length || !open) return;
  const frame = opens ? await opens[kind].open(arrived) : arrived;
  if (frame?.length) {
    refused = 0;
    await line('received', kind, frame);
    encoded.data = frame.slice().buffer;
    controller.enqueue(encoded);
    return;
  }
  postMessage({ event: 'not-opened' });
  refused += frame === null ? 1 : 0;
  if (refused === UNSEALED_IN_A_ROW) postMessage({ event: 'unsealed' });
}

self.onrtctransform = ({ transformer: { readable, writable, options } }) => {
  const pass = options.side === 'send' ? send : receive;
  const transform = (encoded, controller) => {
    const passing = pass(options.kind, encoded, controller);
    busy.add(passing);
    return passing.finally(() => busy.delete(passing));
  };
  // Broken off when the connection closes.
  readable.pipeThrough(new TransformStream({ transform })).pipeTo(writable).catch(() => {});
};

async function keysOf(one) {
  const made = Object.entries(one).map(async ([kind, key]) => [kind, await Key.of(key)]);
  return Object.fromEntries(await Promise.all(made));
}

const methods = {
  async open({ keys }) {
    if (keys) [seals, opens] = await Promise.all([keysOf(keys.seals), keysOf(keys.opens)]);
    open = true;
  },
  async talk({ frames }) {
    for (const [kind, more] of Object.entries(frames)) (queues[kind] ??= []).push(...more.map(unbase64));
    if (open && Object.values(queues).some((queue) => queue.length)) await new Promise((resolve) => (talked = resolve));
    talked = null;
  },
  async stop() {
    open = false;
    await Promise.allSettled([...busy]);
    talked?.();
  },
};

self.onmessage = async ({ data }) => {
  await methods[data.op](data);
  postMessage({ done: data.op });
};
