import { describe, expect, it } from 'vitest';
import { GatewayClient, JsonText, writeJson } from './index.js';

interface Sent {
  readonly request: string;
  readonly body: unknown;
}

/** A client whose requests are kept, and answered by one text. */
function clientOf(answer: string, status = 200): { client: GatewayClient; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch = (url: string, init: RequestInit): Promise<Response> => {
    sent.push({ request: `${init.method ?? ''} ${url}`, body: init.body });
    return Promise.resolve(new Response(status === 204 ? null : answer, { status }));
  };
  return { client: new GatewayClient({ url: 'http://gw', fetch }), sent };
}

describe("the gateway's own resources", () => {
  it('has pages of events that are kept, with the integers of their types', async () => {
    const event = { event: 'BLOCK_WRITE_THRESHOLD', data: { 'node-name': 'a', 'write-threshold': 5 } };
    const { client, sent } = clientOf(JSON.stringify({ events: [event], cursor: 'k.2', oldest: 'k.1' }));
    const selection = { vm: ['a', 'b-*'], event: 'BLOCK_*', label: { tenant: 'x' }, after: 'k.1', limit: 10 };
    const page = await client.eventHistory(selection);
    expect([page.cursor, page.oldest]).toEqual(['k.2', 'k.1']);
    expect(page.events[0]?.data).toEqual({ 'node-name': 'a', 'write-threshold': 5n });
    expect(sent[0]?.request).toBe(
      'GET http://gw/v1/events?after=k.1&vm=a&vm=b-*&event=BLOCK_*&label=tenant%3Dx&limit=10',
    );
    const all = clientOf('{"events":[],"cursor":"k.2","oldest":"k.1"}');
    await all.client.eventHistory();
    expect(all.sent[0]?.request).toBe('GET http://gw/v1/events');
  });

  it('has tokens', async () => {
    const { client, sent } = clientOf('{"tokens":[{"id":"a"}],"token":"qmpgw_a_b"}');
    expect(await client.tokens()).toEqual([{ id: 'a' }]);
    expect(await client.createToken({ level: 'read', vms: ['web-*'] })).toMatchObject({ token: 'qmpgw_a_b' });
    await clientOf('', 204).client.revokeToken('a');
    await client.revokeToken('a/b');
    expect(sent).toEqual([
      { request: 'GET http://gw/v1/tokens', body: undefined },
      { request: 'POST http://gw/v1/tokens', body: '{"level":"read","vms":["web-*"]}' },
      { request: 'DELETE http://gw/v1/tokens/a%2Fb', body: undefined },
    ]);
  });

  it('has the nodes of a fleet, and the model of a VM', async () => {
    const nodes = clientOf('{"nodes":[{"node":"one"}]}');
    expect(await nodes.client.nodes()).toEqual([{ node: 'one' }]);
    const model = clientOf('{"schema":"sha256:a","commands":[],"events":[],"types":{}}');
    expect(await model.client.vm('a').schema()).toMatchObject({ schema: 'sha256:a', types: {} });
    expect([nodes.sent[0]?.request, model.sent[0]?.request]).toEqual([
      'GET http://gw/v1/nodes',
      'GET http://gw/v1/vms/a/schema',
    ]);
  });
});

describe('JSON that somebody else wrote', () => {
  it('is sent as it is, to the digit', async () => {
    const { client, sent } = clientOf('{}');
    await client
      .vm('a')
      .execute('x-change', { value: new JsonText('1.0'), list: [new JsonText('18446744073709551616')] });
    expect(sent[0]?.body).toBe('{"value":1.0,"list":[18446744073709551616]}');
    expect(writeJson(new JsonText(' {"a" : 1} '))).toBe(' {"a" : 1} ');
  });
});
