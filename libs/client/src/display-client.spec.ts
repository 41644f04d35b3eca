import { describe, expect, it } from 'vitest';
import { GatewayClient } from './index.js';

const opened: { url: string; protocols: string[] }[] = [];

/** Notes what it is asked for. */
class NotedSocket {
  constructor(url: string, protocols: string[]) {
    opened.push({ url, protocols });
  }

  readonly send = (): void => undefined;
  readonly close = (): void => undefined;
  readonly addEventListener = (): void => undefined;
}

const requests: string[] = [];
const fetch = (url: string, { method = '' }: RequestInit): Promise<Response> => {
  requests.push(`${method} ${url}`);
  return Promise.resolve(new Response('{}', { headers: { 'Content-Type': 'application/json' } }));
};
const vm = new GatewayClient({ url: 'https://gw/', token: 'secret', fetch, WebSocket: NotedSocket }).vm('a b');

describe('a display', () => {
  it('is connected with the token as a sub-protocol, never in the address', async () => {
    expect(await vm.display().address()).toEqual({
      ...{ url: 'wss://gw/v1/vms/a%20b/displays/default/rfb', protocols: ['binary', 'bearer.secret'] },
    });
    await vm.display('second').connect({ take: true });
    await vm.display('second').connect({ view: true });
    const path = 'wss://gw/v1/vms/a%20b/displays/second/rfb';
    expect(opened.map(({ url }) => url)).toEqual([`${path}?take=true`, `${path}?view=true`]);
  });

  it('is listed and opened', async () => {
    await vm.displays();
    await vm.display().open();
    expect(requests).toEqual(['GET https://gw/v1/vms/a%20b/displays', 'POST https://gw/v1/vms/a%20b/displays/default']);
  });
});
