/**
 * `npm run bench`: what the gateway costs, as ratios of interleaved runs on one machine. Absolute numbers say little on
 * another machine; the ratio to a bare forwarder against the same instant monitor in the same minute says a lot.
 *
 * `npm run bench -- forwarding` runs one part; `parts` below names them all.
 */
import { cpus, loadavg } from 'node:os';
import { benchAccess } from './access.js';
import { benchDisplays } from './displays.js';
import { benchDocuments } from './documents.js';
import { benchEvents } from './events.js';
import { benchFleet } from './fleet.js';
import { benchFleetHop } from './fleet-hop.js';
import { benchFleetSize } from './fleet-size.js';
import { benchForwarding } from './forwarding.js';
import { benchLargeReply } from './large-reply.js';
import { benchLongLines } from './long-lines.js';
import { benchPeers } from './peers.js';
import { benchProfile } from './profile.js';
import { stopAll } from './processes.js';
import { benchRealQemu } from './real-qemu.js';

const parts: Readonly<Record<string, () => Promise<void>>> = {
  access: benchAccess,
  forwarding: benchForwarding,
  profile: benchProfile,
  'real-qemu': benchRealQemu,
  'large-reply': benchLargeReply,
  'long-lines': benchLongLines,
  events: benchEvents,
  fleet: benchFleet,
  'fleet-hop': benchFleetHop,
  'fleet-size': benchFleetSize,
  documents: benchDocuments,
  displays: benchDisplays,
  peers: benchPeers,
};
/** These fetch packages of other languages, or need a NATS server. */
const onlyIfNamed = new Set(['peers', 'displays', 'fleet-hop']);

const wanted = process.argv.slice(2);
const unknown = wanted.filter((part) => !(part in parts));
if (unknown.length > 0) {
  process.stderr.write(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}\n`);
  process.exit(2);
}
const loads = loadavg().map((load) => load.toFixed(2));
process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ` +
    `load average before the run ${loads.join(' ')}\n\n`,
);
const due = wanted.length > 0 ? wanted : Object.keys(parts).filter((name) => !onlyIfNamed.has(name));
try {
  for (const [name, run] of Object.entries(parts)) if (due.includes(name)) await run();
} finally {
  await stopAll();
}
