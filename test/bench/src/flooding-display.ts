/** A display that never rests, as a process of its own: an RFB server that writes as fast as it is read. */
import { createServer } from 'node:net';

const path = process.argv[2] ?? '';
/** What a server says in its handshake, one piece for each of the client's: 640 × 480, no name. */
const hello = [Buffer.of(1, 1), Buffer.alloc(4), Buffer.concat([Buffer.of(2, 128, 1, 224), Buffer.alloc(20)])];
const screen = Buffer.alloc(256 * 1024, 7);

const server = createServer((socket) => {
  const steps = [...hello];
  const flood = (): void => {
    while (socket.writable && socket.write(screen));
  };
  socket.on('error', () => undefined);
  socket.write('RFB 003.008\n');
  socket.on('data', () => {
    const step = steps.shift();
    if (step === undefined) return;
    socket.write(step);
    if (steps.length > 0) return;
    socket.on('drain', flood);
    flood();
  });
});
server.listen(path, () => process.stdout.write(`${path}\n`));
process.on('SIGTERM', () => process.exit(0));
