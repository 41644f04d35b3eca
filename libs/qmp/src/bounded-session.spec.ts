import { probe, Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { PreparationError } from './monitor-host.js';
import { serverBounds } from './server-bounds.js';

const scene = new Scene();

afterEach(() => scene.end());

/** A monitor at a fake that says `json` lines, and what its owner was told once it has answered after them. */
async function told(...lines: readonly string[]) {
  const fake = await scene.fake();
  fake.on('done', () => ({ json: '1' }));
  const { monitor, host } = await scene.ready(fake.endpoint);
  for (const line of lines) fake.connections[0]?.line(line);
  expect((await probe(monitor, 'done').outcome).kind).toBe('return');
  expect(monitor.state.name).toBe('ready');
  return { host, kinds: host.anomalies.map(({ kind }) => kind) };
}

describe('a session', () => {
  it('leaves out an event whose name is none, and tells the place of one that is too large', async () => {
    const { most } = serverBounds.eventData;
    const { host, kinds } = await told(
      `{"event": "${'N'.repeat(129)}"}`,
      `{"event": "${'\\u004e'.repeat(128)}"}`,
      `{"event": "STOP", "data": "${'x'.repeat(most - 2)}"}`,
      `{"event": "RTC_CHANGE", "data": "${'x'.repeat(most - 1)}"}`,
      '{"event": "RESUME"}',
    );
    expect(host.eventNames).toEqual(['N'.repeat(128), 'STOP', 'RESUME']);
    expect(host.leftOut).toEqual(['RTC_CHANGE']);
    expect(kinds).toEqual(['overlong-event', 'overlong-event']);
  });

  it('has no timestamp of an event that gives an endless one', async () => {
    const { host, kinds } = await told(`{"timestamp": {"seconds": "${'9'.repeat(300)}"}, "event": "STOP"}`);
    expect(host.events[0]?.event.timestamp).toBe('null');
    expect(kinds).toEqual(['overlong-timestamp']);
  });

  it('drops a long line that nobody waits for as it comes', async () => {
    const long = 'x'.repeat(serverBounds.unaskedLine.most);
    const { host, kinds } = await told(
      `{"event": "STOP", "data": "${long}"}`,
      `{"return": "${long}", "id": "of another"}`,
      '{"event": "RESUME"}',
    );
    expect(kinds).toEqual(['overlong-line', 'foreign-reply']);
    expect(host.anomalies[1]?.detail).toBe(`${long.length + 34} bytes`);
    expect(host.eventNames).toEqual(['RESUME']);
  });

  it('takes an answer as long as its command wants it, in any order of its members', async () => {
    const fake = await scene.fake();
    const long = 'x'.repeat(3 * 2 ** 20);
    fake.on('long', ({ id = '' }) => ({ raw: `{"id": ${id}, "return": "${long}"}\r\n` }));
    fake.on('wanted', () => ({ return: long }));
    const { monitor } = await scene.ready(fake.endpoint);
    const whole = await probe(monitor, 'long').outcome;
    expect(whole.kind === 'return' && whole.value.length).toBe(long.length + 2);
    const own = await monitor.run('wanted', undefined, { deadlineMs: 10_000 });
    expect(own).toMatchObject({ kind: 'unknown', tooLong: true });
    const more = await monitor.run('wanted', undefined, { deadlineMs: 10_000, answerBytes: 4 * 2 ** 20 });
    expect(more.kind).toBe('return');
    expect(monitor.state.name).toBe('ready');
  });

  it('keeps of an error a text with an end, and a class that can be one', async () => {
    const fake = await scene.fake();
    const { most } = serverBounds.errorText;
    fake.on('long', () => ({ error: { class: 'C'.repeat(65), desc: `${'d'.repeat(most)}more` } }));
    fake.on('endless', () => ({ error: { class: 'GenericError', desc: 'd'.repeat(200_000) } }));
    const { monitor } = await scene.ready(fake.endpoint);
    expect(await probe(monitor, 'long').outcome).toEqual({
      kind: 'error',
      class: 'GenericError',
      desc: `${'d'.repeat(most)}… (cut: it has ${most + 4} characters)`,
    });
    const endless = await probe(monitor, 'endless').outcome;
    expect(endless.kind === 'error' && endless.desc).toMatch(/^The server gave an error of 2000\d\d bytes/);
  });

  it('ends with the code its owner gives, and a detail that is one line with an end', async () => {
    const fake = await scene.fake();
    const { monitor, host } = scene.monitor(fake.endpoint);
    host.prepare = () => Promise.reject(new PreparationError('schema-too-large', `a\r\n\u001b[2J${'x'.repeat(1000)}`));
    monitor.start();
    const { lastError } = await host.reached(monitor, 'waiting');
    expect(lastError.code).toBe('schema-too-large');
    expect(lastError.detail).toMatch(/^a\ufffd\ufffd\ufffd\[2Jx+…$/);
    expect(lastError.detail).toHaveLength(serverBounds.detail.most);
  });

  it('is not had with a greeting without end', async () => {
    const fake = await scene.fake({ package: 'p'.repeat(20_000) });
    const { monitor, host } = scene.monitor(fake.endpoint);
    monitor.start();
    expect((await host.reached(monitor, 'waiting')).lastError.code).toBe('protocol-error');
  });
});
