/** The blocks of docs/reverse-proxies.md, in front of a gateway. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayScene, registerVm, run } from './gateway-scene.js';
import { before, caddy, haproxy, installed, nginx, publicName } from './reverse-proxy.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

const proxies = [nginx(), haproxy, caddy];

it.each(proxies)('the block for $program has the addresses and files of a gateway', (proxy) => {
  const directory = scene.directory();
  // What is replaced is in the page exactly so: `placed` expects it.
  expect(proxy.prepare(directory, 1, '2').join(' ')).toContain(directory);
});

describe.each(installed(proxies))('behind $program', (proxy) => {
  it('commands, paths, streams and WebSockets pass', async () => {
    const gateway = await scene.gateway({ settings: { listen: ['127.0.0.1:0'], allowedHosts: [publicName] } });
    const vm = await registerVm(gateway, `unix:${(await scene.qemu()).socket}`);
    const { ask, target } = await before(scene, gateway, proxy);

    const answer = await ask(`/v1/vms/${vm}/qmp/query-status`);
    expect([answer.statusCode, JSON.parse(await text(answer))]).toMatchObject([200, { running: false }]);
    const posted = await ask(`/v1/vms/${vm}/qmp/qom-list`, { method: 'POST', body: '{"path":"/machine"}' });
    expect([posted.statusCode, (await text(posted)).slice(0, 2)]).toEqual([200, '[{']);
    // As it is: an escaped slash is part of a name.
    const escaped = await ask(`/v1/vms%2F${vm}`);
    expect([escaped.statusCode, JSON.parse(await text(escaped))]).toMatchObject([404, { code: 'route-not-found' }]);

    const events = await ask(`/v1/vms/${vm}/events?event=RESUME`, {
      headers: { Accept: 'text/event-stream' },
    });
    expect(events.statusCode).toBe(200);
    const socket = new WebSocket(`wss://127.0.0.1:${String(target.port)}/v1/ws`, ['qmp-gateway.v1'], {
      ...{ ca: target.ca, servername: 'localhost' },
      headers: { Host: publicName, Authorization: `Bearer ${gateway.token ?? ''}` },
    });
    scene.keep(socket, (one) => one.terminate());
    await once(socket, 'open');
    expect((await run(gateway, vm, 'cont')).status).toBe(200);
    let streamed = '';
    for await (const chunk of events) {
      streamed += String(chunk);
      if (streamed.includes('"RESUME"')) break;
    }
    expect(streamed).toMatch(/^data: \{.*"event":"RESUME"/m);
    socket.send(`{"jsonrpc":"2.0","id":1,"method":"execute","params":{"vm":"${vm}","command":"query-status"}}`);
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(message.toString())).toMatchObject({ id: 1, result: { running: true } });
  });

  it('a command whose connection breaks is not sent again', async () => {
    const seen: string[] = [];
    const server = createHttpServer(({ method = '', url = '', socket }, response) => {
      if (url === '/livez') response.end();
      else {
        seen.push(`${method} ${url}`);
        socket.resetAndDestroy();
      }
    }).listen(0, '127.0.0.1');
    scene.keep(server, () => server.close().closeAllConnections());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { ask } = await before(scene, { url, token: 'none' }, proxy);
    const command = '/v1/vms/a/qmp/stop';
    // By a connection that is kept: those are tried again by themselves.
    for (let count = 1; count <= 3; count++) {
      await text(await ask('/livez'));
      // HAProxy ends the connection without an answer.
      const status = await ask(command, { method: 'POST', body: '{}' }).then(
        (answer) => answer.resume().statusCode,
        () => 502,
      );
      expect(status).toBe(502);
      expect(seen).toEqual(Array(count).fill(`POST ${command}`));
    }
  });
});
