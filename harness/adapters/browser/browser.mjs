// A browser of its own with one page, steered over HTTP on the loopback: requests go down as server-sent events (HTML,
// section 9.2), answers and what happened come up by POST, one at a time, so in order.
//
// Invariant: nobody without the token in the page's address is served; when the browser is gone, so is the driver.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

// Time for a refusal to be said in.
const SAID_IN = 500;
const ANSWERS_WITHIN = 4_000;
const MOST_BYTES = 1 << 22;
const TYPES = { '.html': 'text/html', '.js': 'text/javascript' };

async function body(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > MOST_BYTES) throw new Error('the page says too much at once');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export class Browser {
  // `heard` gets what happened in the page.
  constructor(heard) {
    Object.assign(this, { heard, open: new Map(), ids: 0, token: crypto.randomBytes(16).toString('hex') });
  }

  // Starts what `launch` makes of profile and address: `{ command, args, env }`. Resolves when the page is ready.
  async start(folder, launch, within) {
    this.server = http.createServer((request, response) => this.serve(request, response).catch(() => response.destroy()));
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.profile = fs.mkdtempSync(path.join(folder, 'profile-'));
    const log = path.join(this.profile, 'browser.log');
    const errors = fs.openSync(log, 'a');
    const address = `http://127.0.0.1:${this.server.address().port}/${this.token}/page.html`;
    const { command, args, env } = launch(this.profile, address);
    const ready = new Promise((resolve, reject) => {
      this.ready = resolve;
      setTimeout(() => reject(new Error(`${command} did not open its page within ${within} ms`)), within - SAID_IN).unref();
    });
    // In the driver's own process group, so that both end together. Chromium takes the end of the fourth for its own.
    const stdio = ['ignore', 'ignore', errors, 'pipe', 'pipe'];
    this.process = spawn(command, args, { stdio, env: { ...process.env, HOME: this.profile, ...env } });
    fs.closeSync(errors);
    this.process.stdio.slice(3).forEach((pipe) => pipe.on('error', () => {}).resume());
    this.ended = new Promise((resolve) => this.process.once('exit', resolve).once('error', resolve));
    this.ended.then((how) => {
      if (this.closing) return;
      const last = fs.readFileSync(log, 'utf8').trimEnd().split('\n').at(-1);
      console.error(`${command} ended (${how}): ${last}`);
      process.exit(1);
    });
    await ready;
  }

  async serve(request, response) {
    const [, token, name] = new URL(request.url, 'http://127.0.0.1').pathname.split('/');
    if (token !== this.token) return response.writeHead(404).end();
    if (request.method === 'POST') {
      for (const told of JSON.parse(await body(request))) this.told(told);
      return response.writeHead(204).end();
    }
    if (name === 'requests') {
      this.down = response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      return response.write(': here they come\n\n');
    }
    const file = ['page.html', 'page.js', 'worker.js', 'sframe.js'].find((known) => known === name);
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] });
    response.end(fs.readFileSync(new URL(`web/${file}`, import.meta.url)));
  }

  told({ id, result, error, event, ...what }) {
    if (event === 'ready') this.ready();
    else if (event) this.heard(event, what);
    else if (error === undefined) this.open.get(id)?.resolve(result);
    else this.open.get(id)?.reject(new Error(error));
  }

  async ask(method, params, within = ANSWERS_WITHIN) {
    const id = ++this.ids;
    let clock;
    try {
      return await new Promise((resolve, reject) => {
        clock = setTimeout(() => reject(new Error(`the page did not answer \`${method}\` in time`)), within);
        this.open.set(id, { resolve, reject });
        this.down.write(`data: ${JSON.stringify({ id, method, params })}\n\n`);
      });
    } finally {
      clearTimeout(clock);
      this.open.delete(id);
    }
  }

  // Ends the browser and removes what it wrote.
  async close() {
    this.closing = true;
    this.process?.kill('SIGKILL');
    await this.ended;
    this.server?.closeAllConnections();
    this.server?.close();
    // Its children may still be writing; what they leave goes with the folder of the session.
    try {
      if (this.profile) fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
    } catch (error) {
      console.error(error);
    }
  }
}
