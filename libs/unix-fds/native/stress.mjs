// Every way through the addon, over and over, for a run under AddressSanitizer or valgrind.
//
//   node stress.mjs BINARY ROUNDS
//
// Ends with 0 when no descriptor is left open and nothing was lost, also in workers that end in the middle.

import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { once } from 'node:events';

const [binary, rounds] = isMainThread ? process.argv.slice(2) : workerData;
const addon = createRequire(import.meta.url)(binary);
const directory = mkdtempSync(join(tmpdir(), 'stress-'));
const server = createServer({ pauseOnConnect: true });
server.listen(join(directory, 'socket'));
await once(server, 'listening');
const open = () => readdirSync('/proc/self/fd').length;

async function pair() {
  const accepted = once(server, 'connection');
  const near = connect(join(directory, 'socket'));
  const [[far]] = await Promise.all([accepted, once(near, 'connect')]);
  for (const socket of [near, far]) socket.on('error', () => undefined);
  return [near, far];
}

/** One connection, with messages of many sizes, refusals, an early end, and handles that nobody closes. */
async function round(number) {
  const [near, far] = await pair();
  let received = 0;
  let descriptors = 0;
  const taker = addon.adopt(far._handle.fd, (bytes, numbers) => {
    received += bytes?.length ?? 0;
    descriptors += numbers.length;
    for (const one of numbers) closeSync(one);
  });
  addon.read(taker, true);
  const giver = addon.adopt(near._handle.fd, () => undefined);
  const file = openSync('/dev/null', 'r');
  let expected = 0;
  for (const [length, count] of [
    [1, 1],
    [70_000, 3],
    [1, 253],
    [500_000, 1],
    [10, 0],
  ]) {
    await new Promise((resolve) => addon.send(giver, Buffer.alloc(length), Array(count).fill(file), resolve));
    expected += length;
    addon.read(taker, false);
    addon.read(taker, true);
  }
  while (received < expected) await new Promise(setImmediate);
  if (descriptors !== 258) throw new Error(`${descriptors} descriptors`);
  for (const wrong of [[file, -1], [file, 99_999], [file, 'x'], Array(300).fill(file)])
    try {
      addon.send(giver, Buffer.from('x'), wrong, () => undefined);
      throw new Error('taken');
    } catch (error) {
      if (error.message === 'taken') throw error;
    }
  // Dropped while it waits: nobody reads.
  addon.read(taker, false);
  addon.send(giver, Buffer.alloc(4_000_000), [file], () => undefined);
  closeSync(file);
  if (number % 3 === 0) near.destroy();
  if (number % 3 === 1) addon.close(taker);
  addon.close(giver);
  addon.close(giver);
  addon.close(taker);
  near.destroy();
  far.destroy();
}

const before = open();
for (let number = 0; number < Number(rounds); number++) await round(number);
for (let turn = 0; turn < 100 && open() > before; turn++) await new Promise((resolve) => setTimeout(resolve, 10));
const left = open() - before;
if (isMainThread) {
  // Ends with a channel that reads and a message that waits.
  const worker = new Worker(new URL(import.meta.url), { workerData: [binary, 2], trackUnmanagedFds: false });
  const [code] = await once(worker, 'exit');
  rmSync(directory, { recursive: true });
  server.close();
  process.stdout.write(`${left} left open, worker ended with ${code}\n`);
  process.exitCode = left === 0 && code === 0 ? 0 : 1;
} else {
  const [near, far] = await pair();
  const taker = addon.adopt(far._handle.fd, () => undefined);
  addon.read(taker, true);
  addon.send(
    addon.adopt(near._handle.fd, () => undefined),
    Buffer.alloc(4_000_000),
    [1],
    () => undefined,
  );
  rmSync(directory, { recursive: true });
  process.exit(left === 0 ? 0 : 1);
}
