// Firefox behind the driver protocol of overheard, version 1: requests on standard input, replies and events on standard
// output, logs on standard error. FIREFOX names another binary.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BrowserDevice } from '../browser/device.mjs';
import { serve } from '../werift/device.mjs';

const command = process.env.FIREFOX ?? 'firefox-esr';
const PREFERENCES = {
  // Without these two permissions it gathers at the default address alone, which on a loopback is none.
  'permissions.default.microphone': 1,
  'permissions.default.camera': 1,
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // No windows, no processes in store and no traffic of its own.
  'dom.ipc.processPrelaunch.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.newtabpage.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'app.normandy.enabled': false,
  'app.update.auto': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.url': 'data:,',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.prefetch-next': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
};
const KEY_LOG = 'keys.log';
const LINE = /^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]+$/;

function launch(profile, address) {
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
  fs.writeFileSync(path.join(profile, 'user.js'), lines.join(''));
  const args = ['--headless', '--no-remote', '--profile', profile, address];
  return { command, args, env: { MOZ_CRASHREPORTER_DISABLE: '1', SSLKEYLOGFILE: path.join(profile, KEY_LOG) } };
}

// NSS writes a key log: of DTLS 1.2 master secrets, of DTLS 1.3 exporter secrets. A line may be half written.
function hopKeys(profile) {
  const file = path.join(profile, KEY_LOG);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter((line) => LINE.test(line)) : [];
}

const version = execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
const capabilities = ['frames', 'dtls', 'audio', 'video', 'screen', 'relay', 'keys-export'];
await serve(new BrowserDevice(version.trim(), capabilities, launch, hopKeys));
