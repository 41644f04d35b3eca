import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayClient, GatewayProblem, GatewayUnreachable } from './index.js';

interface Sent {
  readonly url: string;
  readonly method: string | undefined;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** A client whose requests are kept, and answered by `answer`. */
function clientOf(answer: (sent: Sent) => Response | Promise<Response>): { client: GatewayClient; sent: Sent[] } {
  const sent: Sent[] = [];
  const fetch = (url: string, init: RequestInit): Promise<Response> => {
    const { method, headers, body, signal } = init;
    const request = { url, method, headers: headers as Record<string, string>, body };
    sent.push(request);
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      if (signal?.aborted === true) reject(new DOMException('aborted', 'AbortError'));
      Promise.resolve(answer(request)).then(resolve, reject);
    });
  };
  return { client: new GatewayClient({ url: 'http://gw:8080/', token: 'secret', fetch }), sent };
}

const json = (text: string, headers: Record<string, string> = {}, status = 200): Response =>
  new Response(text, { status, headers: { 'Content-Type': 'application/json', ...headers } });

const problem = (document: object, status: number): Response =>
  new Response(JSON.stringify(document), { status, headers: { 'Content-Type': 'application/problem+json' } });

const never = (): Promise<Response> => new Promise(() => undefined);

afterEach(() => void vi.useRealTimers());

describe('commands', () => {
  it('asks with GET, arguments as parameters', async () => {
    const { client, sent } = clientOf(() => json('[]'));
    await client.vm('a').query('query-stats-schemas', { provider: 'kvm' });
    await client.vm('a').query('query-status');
    await client.vm('a').query('x-list', { many: ['a', 'b'], n: 18446744073709551615n, flag: true });
    expect(sent.map(({ method, url }) => `${method ?? ''} ${url}`)).toEqual([
      'GET http://gw:8080/v1/vms/a/qmp/query-stats-schemas?provider=kvm',
      'GET http://gw:8080/v1/vms/a/qmp/query-status',
      'GET http://gw:8080/v1/vms/a/qmp/x-list?many=a&many=b&n=18446744073709551615&flag=true',
    ]);
    expect(sent[0]?.headers).toMatchObject({ Authorization: 'Bearer secret', Accept: 'application/json' });
  });

  it('asks with POST where a query can not say the arguments', async () => {
    const { client, sent } = clientOf(() => json('[]'));
    await client.vm('a').query('query-stats', { target: 'vm', providers: [{ provider: 'kvm' }] });
    await client.vm('a').query('x-list', { many: [] });
    expect(sent.map(({ method, body }) => [method, body])).toEqual([
      ['POST', '{"target":"vm","providers":[{"provider":"kvm"}]}'],
      ['POST', '{"many":[]}'],
    ]);
  });

  it('sends controls as headers and integers digit for digit', async () => {
    const { client, sent } = clientOf(() => json('{}'));
    const options = { timeout: 1.5, idempotencyKey: 'k', epoch: 'e.1' };
    await client.vm('a b').execute('balloon', { value: 9223372036854775807n }, options);
    expect(sent[0]).toMatchObject({
      url: 'http://gw:8080/v1/vms/a%20b/qmp/balloon',
      body: '{"value":9223372036854775807}',
      headers: {
        'Content-Type': 'application/json',
        'Request-Timeout': '1500ms',
        'Idempotency-Key': 'k',
        'QMP-VM-Epoch': 'e.1',
      },
    });
    await client.vm('a').execute('stop', undefined, { timeout: '2m' });
    expect(sent[1]?.headers).toMatchObject({ 'Request-Timeout': '120000ms' });
    expect(sent[1]?.headers).not.toHaveProperty('Content-Type');
    await expect(client.vm('a').execute('stop', undefined, { timeout: 'soon' })).rejects.toThrow(TypeError);
  });

  it('says what a dry run would send', async () => {
    const wouldSend = { execute: 'stop' };
    const { client, sent } = clientOf(() => json(JSON.stringify({ wouldSend, class: 'operate' })));
    expect(await client.vm('a').execute('stop', undefined, { dryRun: true })).toEqual({ wouldSend, class: 'operate' });
    expect(sent[0]?.headers).toMatchObject({ 'Dry-Run': 'true' });
  });

  it('tells what stands beside a return value', async () => {
    const headers = { 'QMP-VM-Epoch': 'r.1', 'QMP-Event-Cursor': 'r.5', 'QMP-Operation': 'r.o7' };
    const { client } = clientOf(() => json('{"actual":1}', headers));
    const answer = await client.vm('a').executeInFull('query-balloon');
    expect(answer).toEqual({
      value: { actual: 1n },
      epoch: 'r.1',
      cursor: 'r.5',
      operation: 'r.o7',
      replayed: false,
    });
  });

  it('reads what operations returned as their commands return it', async () => {
    const operation = '{"id":"o7","command":"query-balloon","state":"done","return":{"actual":1}}';
    const { client, sent } = clientOf(() => json(operation));
    expect(await client.vm('a').operation('/v1/vms/a/operations/o7')).toMatchObject({ return: { actual: 1n } });
    expect(sent[0]?.url).toBe('http://gw:8080/v1/vms/a/operations/o7');
  });
});

describe('what the caller may do', () => {
  it('is asked for in general, of a command, and of a command with its arguments', async () => {
    const { client, sent } = clientOf(() => json('{"level":"configure","allowed":"by-arguments"}'));
    expect(await client.access()).toMatchObject({ level: 'configure' });
    expect((await client.vm('a').mayRun('device_add')).allowed).toBe('by-arguments');
    await client.vm('a').mayRunWith('device_add', { driver: 'e1000' });
    await client.vm('a').mayRun('guest-exec', { agent: true });
    await client.vm('a').mayRunWith('guest-exec', { path: 'sh' }, { agent: true });
    expect(sent.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', 'http://gw:8080/v1/access', undefined],
      ['GET', 'http://gw:8080/v1/access?vm=a&command=device_add', undefined],
      ['POST', 'http://gw:8080/v1/access', '{"vm":"a","command":"device_add","arguments":{"driver":"e1000"}}'],
      ['GET', 'http://gw:8080/v1/access?vm=a&command=guest-exec&agent=true', undefined],
      ['POST', 'http://gw:8080/v1/access', '{"vm":"a","command":"guest-exec","agent":true,"arguments":{"path":"sh"}}'],
    ]);
  });
});

describe('work that goes on', () => {
  const shown = (state: string) =>
    `{"id":"r.o7","vm":"a","command":"query-balloon","state":"${state}","return":{"actual":1}}`;

  it('is started, waited for and cancelled', async () => {
    const { client, sent } = clientOf(() => json(shown('running'), {}, 202));
    const vm = client.vm('a');
    expect(await vm.start('balloon', { value: 1n }, { idempotencyKey: 'k' })).toMatchObject({ id: 'r.o7' });
    expect(sent[0]?.headers).toMatchObject({ Prefer: 'respond-async', 'Idempotency-Key': 'k' });
    expect(await vm.operation('r.o7', { wait: 30 })).toMatchObject({ return: { actual: 1n } });
    await vm.cancel('/v1/vms/a/operations/r.o7');
    expect(sent.slice(1).map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET http://gw:8080/v1/vms/a/operations/r.o7?wait=30000ms',
      'DELETE http://gw:8080/v1/vms/a/operations/r.o7',
    ]);
  });

  it('of a repeated request that is done already is asked for', async () => {
    const answers = [json('{}', { 'QMP-Operation': 'r.o7' }), json(shown('done'))];
    const { client } = clientOf(() => answers.shift()!);
    expect(await client.vm('a').start('stop')).toMatchObject({ id: 'r.o7', state: 'done' });
  });

  it('of all VMs is selected', async () => {
    const { client, sent } = clientOf(() => json(`{"operations":[${shown('done')}],"cursor":"r.1"}`));
    const { operations, cursor } = await client.operations({ vm: 'a*', state: 'done', limit: 5 });
    expect([operations[0]?.state, cursor]).toEqual(['done', 'r.1']);
    expect(sent[0]?.url).toBe('http://gw:8080/v1/operations?vm=a*&state=done&limit=5');
  });
});

describe('many VMs', () => {
  it('gives an answer for each, failures too', async () => {
    const lines = [
      '{"vm":"a","status":200,"cursor":"r.1","return":{"actual":1}}',
      '{"vm":"b","status":503,"problem":{"code":"vm-unavailable","status":503}}',
      '{"end":true,"selected":2,"ok":1,"failed":1}',
    ];
    const { client, sent } = clientOf(() => new Response(`${lines.join('\n')}\n`));
    const answers = [];
    for await (const line of client.fanOut('query-balloon', {}, { vm: ['a', 'b'], label: { tenant: 'x' } }))
      answers.push(line);
    expect(answers).toMatchObject([
      { vm: 'a', return: { actual: 1n } },
      { vm: 'b', problem: { code: 'vm-unavailable' } },
    ]);
    expect(sent[0]?.url).toBe('http://gw:8080/v1/qmp/query-balloon?vm=a&vm=b&label=tenant%3Dx');
  });

  it('says when the answers were cut', async () => {
    const { client } = clientOf(() => new Response('{"vm":"a","status":200,"return":{}}\n{"vm":'));
    const answers = client.fanOut('stop', {}, { vm: '*' });
    expect(await answers.next()).toMatchObject({ value: { vm: 'a' } });
    await expect(answers.next()).rejects.toThrow(GatewayUnreachable);
  });
});

describe('failures', () => {
  it('throws the problem that the gateway answers', async () => {
    const document = {
      code: 'command-failed',
      status: 422,
      title: 'Command failed',
      detail: 'no',
      outcome: 'refused',
      retryable: false,
      qmp: { class: 'GenericError', desc: 'no' },
    };
    const { client } = clientOf(() => problem(document, 422));
    const error = await client
      .vm('a')
      .execute('stop')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GatewayProblem);
    expect(error).toMatchObject({ ...document, message: 'command-failed: no' });
  });

  it.each([
    ['something else', () => new Response('<html>', { status: 502 }), 502],
    ['no JSON', () => json('{"a":'), undefined],
    ['no problem', () => problem({ no: 'code' }, 500), 500],
  ])('never takes %s for an answer', async (_, answer, status) => {
    const { client } = clientOf(answer);
    const error = await client
      .vm('a')
      .execute('stop')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GatewayUnreachable);
    expect(error).toMatchObject({ outcome: 'unknown', retryable: false, status });
  });

  it('says when there is no connection', async () => {
    const cause = new TypeError('fetch failed');
    const { client } = clientOf(() => Promise.reject(cause));
    await expect(client.vms()).rejects.toMatchObject({ name: 'GatewayUnreachable', cause });
  });

  it('gives up a gateway that does not answer, later than the deadline it was given', async () => {
    vi.useFakeTimers();
    const { client } = clientOf(never);
    const answer = client.vm('a').execute('stop', undefined, { timeout: 5 });
    const settled = vi.fn();
    answer.catch(settled);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(30_000);
    await expect(answer).rejects.toThrow(GatewayUnreachable);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('hears the deadline of the gateway out in whatever runs commands', async () => {
    vi.useFakeTimers();
    const { client } = clientOf(never);
    const vm = client.vm('a');
    const gaveUp = vi.fn();
    const resource = vm.get();
    const answers = [
      ...[vm.query('query-status'), vm.execute('stop'), vm.start('stop'), vm.cancel('o7'), vm.screen()],
      ...[vm.qomObject('/machine'), vm.qomProperty('/machine/type'), vm.setQomProperty('/objects/io0/poll-grow', 1)],
      ...[vm.type('a'), vm.press(['ret']), vm.agent.execute('guest-ping')],
    ];
    for (const answer of answers) answer.catch(gaveUp);
    resource.catch(() => undefined);
    // What the gateway sets by itself is 10 minutes at most.
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    await expect(resource).rejects.toThrow(GatewayUnreachable);
    expect(gaveUp).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gaveUp).toHaveBeenCalledTimes(answers.length);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("throws the caller's reason when it wants no more", async () => {
    const { client } = clientOf(never);
    const stop = new AbortController();
    const answer = client.vm('a').execute('stop', undefined, { signal: stop.signal });
    const reason = new Error('changed my mind');
    stop.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await expect(client.vms({ signal: stop.signal })).rejects.toBe(reason);
  });

  it('lets faults of the caller pass as they are', async () => {
    const { client, sent } = clientOf(never);
    await expect(client.vm('a').execute('balloon', { value: NaN })).rejects.toThrow(TypeError);
    expect(sent).toEqual([]);
  });
});

describe('the token', () => {
  it('is asked for anew for each request when a function gives it', async () => {
    const tokens = ['one', 'two'];
    const seen: (string | null)[] = [];
    const client = new GatewayClient({
      url: new URL('http://gw'),
      token: () => Promise.resolve(tokens.shift() ?? ''),
      fetch: (_, init) => {
        seen.push(new Headers(init.headers).get('Authorization'));
        return Promise.resolve(json('{"vms":[],"cursor":"r.1"}'));
      },
    });
    await client.vms();
    await client.vms();
    expect(seen).toEqual(['Bearer one', 'Bearer two']);
  });
});

describe('something that only looks like the gateway', () => {
  it('has of a problem what fits, and nothing that is the error itself', async () => {
    const wrong = {
      ...{
        code: 'vm-not-found',
        status: 404,
        outcome: 'fine',
        retryable: 'yes',
        detail: 7,
        vm: 'a',
        suggestions: ['b', 1],
      },
      ...{ errors: 'x', lastError: { detail: 7 }, qmp: [], retryAt: {}, name: 'x', message: 'x', stack: 'x', later: 1 },
    };
    const { client } = clientOf(() => problem(wrong, 404));
    const error = await client.vms().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GatewayProblem);
    expect({ ...(error as object) }).toEqual({
      ...{
        name: 'GatewayProblem',
        code: 'vm-not-found',
        status: 404,
        outcome: 'unknown',
        retryable: false,
        vm: 'a',
        later: 1,
      },
    });
    expect((error as Error).message).toBe('vm-not-found: 404');
    expect((error as Error).stack).toContain('gateway-client.spec');
  });

  it.each([
    ['faults', { errors: [{ pointer: '', message: 'm' }, { pointer: 7 }] }],
    ['an answer of the VM', { qmp: { class: 'GenericError' } }],
  ])('has no half of %s', async (_, members) => {
    const { client } = clientOf(() =>
      problem({ code: 'c', status: 400, outcome: 'refused', retryable: false, ...members }, 400),
    );
    const error = await client.vms().catch((thrown: unknown) => thrown);
    for (const name of Object.keys(members)) expect((error as Record<string, unknown>)[name]).toBeUndefined();
  });

  it.each([200, 500])('is left when its answer has no end, with status %i', async (status) => {
    let pulled = 0;
    const endless = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        pull(to) {
          pulled++;
          to.enqueue(new Uint8Array(8 * 1024 * 1024).fill(0x20));
        },
      });
    const { client } = clientOf(
      () => new Response(endless(), { status, headers: { 'Content-Type': 'application/problem+json' } }),
    );
    await expect(client.vms()).rejects.toThrow(status === 200 ? 'the answer is too long' : 'status 500');
    await expect(client.vm('a').screen()).rejects.toThrow(status === 200 ? 'the answer is too long' : 'status 500');
    expect(pulled).toBeLessThan(50);
  });
});
