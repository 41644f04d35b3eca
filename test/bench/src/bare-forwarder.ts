/**
 * The yardstick: the least a node:http server can do to forward one command over one QMP connection. No credentials, no
 * routes, no checks, no deadlines; one socket, ids in order of writing, replies cut at their newline.
 *
 * Started as a process of its own: `node bare-forwarder.js SOCKET COMMAND [WINDOW]`. Prints its port. WINDOW is how many
 * commands may be without a reply, as QEMU's queue has it (8); without it there is no bound, which QEMU would not stand.
 */
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

const [, , socketPath = '', command = 'query-status', window = 'Infinity'] = process.argv;
const most = Number(window);
const waiting: ServerResponse[] = [];
/** Of those that wait, how many commands were sent. */
let sent = 0;
const monitor = connect(socketPath);
let ready = false;
let chunks: Buffer[] = [];

monitor.on('data', (chunk) => {
  let from = 0;
  for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
    const piece = chunk.subarray(from, end + 1);
    onLine(chunks.length === 0 ? piece : Buffer.concat([...chunks, piece]));
    chunks = [];
    from = end + 1;
  }
  if (from < chunk.length) chunks.push(chunk.subarray(from));
  send();
});

function onLine(line: Buffer): void {
  if (!ready) {
    ready = line.includes('"return"');
    if (ready) server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
    else monitor.write('{"execute":"qmp_capabilities"}\n');
    return;
  }
  // `{"return": VALUE, "id": "…"}` and CRLF.
  const value = line.subarray('{"return": '.length, line.lastIndexOf(', "id"'));
  const response = waiting.shift();
  sent--;
  response?.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': value.length });
  response?.end(value);
}

const message = `{"execute":${JSON.stringify(command)},"id":"bare-1"}\n`;
const server = createServer((request, response) => {
  request.resume();
  waiting.push(response);
  send();
});

function send(): void {
  const due = Math.min(waiting.length, most) - sent;
  if (due <= 0) return;
  sent += due;
  monitor.write(due === 1 ? message : message.repeat(due));
}
