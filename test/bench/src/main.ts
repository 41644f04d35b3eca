/**
 * `npm run bench`: what the gateway costs, as ratios of interleaved runs on one machine. Absolute numbers say little on
 * another machine; the ratio to a bare forwarder against the same instant monitor in the same minute says a lot.
 *
 * `npm run bench -- forwarding` runs one part; `parts` below names them all.
 */
import { cpus } from 'node:os';
import { benchAccess } from './access.js';
import { benchDocuments } from './documents.js';
import { benchEvents } from './events.js';
import { benchFleet } from './fleet.js';
import { benchForwarding } from './forwarding.js';
import { benchLargeReply } from './large-reply.js';
import { benchLongLines } from './long-lines.js';

const parts: Readonly<Record<string, () => Promise<void>>> = {
  access: benchAccess,
  forwarding: benchForwarding,
  'large-reply': benchLargeReply,
  'long-lines': benchLongLines,
  events: benchEvents,
  fleet: benchFleet,
  documents: benchDocuments,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((part) => !(part in parts));
if (unknown.length > 0) {
  process.stderr.write(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}\n`);
  process.exit(2);
}
process.stdout.write(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n\n`);
for (const [name, run] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await run();
