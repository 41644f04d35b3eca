import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { fullBacklog, makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { expect, it } from 'vitest';
import { Listener } from './listener.js';

it('tells every answer of a connection that its reader has left, also those whose turn had not come', async () => {
  const answers: ServerResponse[] = [];
  const closed: number[] = [];
  const server = createServer((_request, response) => {
    const at = answers.push(response) - 1;
    response.on('close', () => closed.push(at));
  });
  const listener = new Listener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, server);
  await listener.listen();
  const reader = connect(listener.door.port ?? 0, '127.0.0.1').resume();
  reader.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5));
  while (answers.length < 5) await new Promise((resolve) => setImmediate(resolve));
  answers[0]?.end('over');
  answers[2]?.end('whole, but not its turn');
  answers[3]?.write('a part');
  while (closed.length < 1) await new Promise((resolve) => setImmediate(resolve));
  reader.destroy();
  while (closed.length < 5) await new Promise((resolve) => setImmediate(resolve));
  expect(answers.map(({ destroyed }) => destroyed)).toEqual([true, true, true, true, true]);
  server.close();
  await once(server, 'close');
  expect(closed.toSorted()).toEqual([0, 1, 2, 3, 4]);
});

it('does not take the unix socket of a server that is too busy to accept', async () => {
  const directory = makeTempDir();
  const path = `${directory}/socket`;
  const busy = await fullBacklog(path);
  try {
    const { ino } = lstatSync(path);
    const listener = new Listener({ kind: 'unix', path }, createServer());
    await expect(listener.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(lstatSync(path).ino).toBe(ino);
  } finally {
    await busy.stop();
    removeTempDir(directory);
  }
});
