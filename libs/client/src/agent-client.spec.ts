import { describe, expect, it } from 'vitest';
import { GatewayClient, GatewayProblem, GatewayUnreachable, type AgentClient } from './index.js';

interface Sent {
  readonly request: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

function agentOf(answer: () => Response): { agent: AgentClient; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch = (url: string, { method = '', headers, body }: RequestInit): Promise<Response> => {
    sent.push({
      request: `${method} ${url.replace('http://gw', '')}`,
      headers: headers as Record<string, string>,
      body,
    });
    return Promise.resolve(answer());
  };
  return { agent: new GatewayClient({ url: 'http://gw', token: 'secret', fetch }).vm('a b').agent, sent };
}

const json = (text: string): Response => new Response(text, { headers: { 'Content-Type': 'application/json' } });

/** A body that comes in these parts, and breaks off at the end when asked. */
function inParts(parts: readonly (string | Uint8Array)[], breaksOff = false): Response {
  const queue = parts.map((part) => (typeof part === 'string' ? new TextEncoder().encode(part) : part));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = queue.shift();
      if (part !== undefined) controller.enqueue(part);
      else if (breaksOff) controller.error(new TypeError('terminated'));
      else controller.close();
    },
  });
  return new Response(body);
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('the guest agent', () => {
  it('is asked for itself and for its commands, below the VM', async () => {
    const { agent, sent } = agentOf(() => json('1764000000000000001'));
    expect(await agent.execute('guest-get-time', undefined, { timeout: 2, epoch: 'e' })).toBe(1764000000000000001n);
    await agent.execute('guest-file-close', { handle: 1000 });
    await agent.get();
    expect(sent.map(({ request, body }) => [request, body])).toEqual([
      ['POST /v1/vms/a%20b/agent/guest-get-time', undefined],
      ['POST /v1/vms/a%20b/agent/guest-file-close', '{"handle":1000}'],
      ['GET /v1/vms/a%20b/agent', undefined],
    ]);
    expect(sent[0]?.headers).toMatchObject({ 'Request-Timeout': '2000ms', 'QMP-VM-Epoch': 'e' });
  });

  it('runs a program and tells of it line by line, however the lines are cut', async () => {
    const { agent, sent } = agentOf(() =>
      inParts([
        '{"type":"star',
        'ted","pid":7}\n{"type":"output","stream":"stdout","text":"é',
        '"}\n{"type":"exited","pid":7}\n',
      ]),
    );
    const lines = await allOf(agent.exec({ path: '/bin/ls', arg: ['-l'], timeout: 1.5 }));
    expect(lines.map(({ type }) => type)).toEqual(['started', 'output', 'exited']);
    expect(sent[0]).toMatchObject({
      request: 'POST /v1/vms/a%20b/agent/exec',
      body: '{"path":"/bin/ls","arg":["-l"],"timeout":"1500ms"}',
    });
  });

  it('says so when the end of a program was cut off', async () => {
    const { agent } = agentOf(() => inParts(['{"type":"started","pid":7}\n']));
    await expect(allOf(agent.exec({ path: '/bin/ls' }))).rejects.toThrow(GatewayUnreachable);
  });

  it('reads a file as it comes, and says so when it breaks off', async () => {
    const parts = [Uint8Array.of(0xff, 0), Uint8Array.of(10)];
    const { agent, sent } = agentOf(() => inParts(parts));
    expect(await allOf(agent.readFile('/etc/a&b'))).toEqual(parts);
    expect(sent[0]?.request).toBe('GET /v1/vms/a%20b/agent/files?path=%2Fetc%2Fa%26b');
    const cut = agentOf(() => inParts(parts, true)).agent;
    await expect(allOf(cut.readFile('/etc/motd'))).rejects.toThrow(GatewayUnreachable);
  });

  it('writes a file as bytes', async () => {
    const { agent, sent } = agentOf(() => json('{"size":2}'));
    const bytes = Uint8Array.of(1, 2);
    expect(await agent.writeFile('/dev/null', bytes, { verify: false })).toEqual({ size: 2 });
    expect(sent[0]).toMatchObject({
      request: 'PUT /v1/vms/a%20b/agent/files?path=%2Fdev%2Fnull&verify=false',
      headers: { 'Content-Type': 'application/octet-stream', Authorization: 'Bearer secret' },
      body: bytes,
    });
  });

  it('fails with the problem of the gateway', async () => {
    const body = JSON.stringify({ type: '/problems/forbidden', code: 'forbidden', status: 403, title: 'Forbidden' });
    const headers = { 'Content-Type': 'application/problem+json' };
    const { agent } = agentOf(() => new Response(body, { status: 403, headers }));
    await expect(allOf(agent.readFile('/etc/shadow'))).rejects.toThrow(GatewayProblem);
    await expect(allOf(agent.exec({ path: '/bin/sh' }))).rejects.toThrow(GatewayProblem);
  });
});
