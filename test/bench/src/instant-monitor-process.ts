/** The fake monitor as a process of its own, so that its work is nobody else's. Prints its socket path. */
import { readFileSync } from 'node:fs';
import { InstantMonitor } from '@qmp-gateway/test-kit';

const replies = JSON.parse(readFileSync(0, 'utf8')) as Record<string, string>;
const monitor = await InstantMonitor.start(replies);
process.stdout.write(`${monitor.endpoint.path}\n`);
process.on('SIGTERM', () => void monitor.stop().then(() => process.exit(0)));
