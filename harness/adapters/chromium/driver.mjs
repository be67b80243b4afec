// Chromium behind the driver protocol of overheard, version 1: requests on standard input, replies and events on standard
// output, logs on standard error. CHROMIUM names another binary.
import { execFileSync } from 'node:child_process';
import { BrowserDevice } from '../browser/device.mjs';
import { serve } from '../werift/device.mjs';

const command = process.env.CHROMIUM ?? 'chromium';
const FLAGS = [
  '--headless=new',
  '--no-sandbox', // what runs in it is our own page
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--password-store=basic',
  // No traffic of its own.
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-extensions',
  '--disable-sync',
  '--metrics-recording-only',
  '--use-fake-device-for-media-stream=fps=30',
  '--use-fake-ui-for-media-stream',
  // On the address of the session, and by its number.
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--autoplay-policy=no-user-gesture-required',
  '--remote-debugging-pipe', // it ends when the driver does
];

const launch = (profile, address) => ({ command, args: [...FLAGS, `--user-data-dir=${profile}`, address], env: {} });
const version = execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
await serve(new BrowserDevice(version.trim().split(' ').slice(0, 2).join(' '), ['frames', 'dtls', 'audio', 'video', 'screen', 'relay'], launch));
