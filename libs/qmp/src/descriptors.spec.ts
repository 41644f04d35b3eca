import type { Socket } from 'node:net';
import { FakeMonitor, Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { DescriptorPassage, MonitorOptions, Settlement } from './index.js';

const scene = new Scene();
afterEach(() => scene.end());

/** Writes as the socket does, and says what would have gone beside it. */
class RecordingPassage implements DescriptorPassage {
  readonly passed: { readonly text: string; readonly descriptors: readonly number[] }[] = [];
  /** Called instead of writing. */
  instead: ((done: (error: Error | null) => void) => void) | undefined;
  givenUp = 0;

  pass(
    socket: Socket,
    { bytes, descriptors }: { bytes: Buffer; descriptors: readonly number[] },
    done: (error: Error | null) => void,
  ): () => void {
    this.passed.push({ text: bytes.toString(), descriptors });
    if (this.instead === undefined) socket.write(bytes, () => done(null));
    else this.instead(done);
    return () => this.givenUp++;
  }
}

async function stage(options: Pick<MonitorOptions, 'descriptorPassage'> = {}) {
  const passage = new RecordingPassage();
  const fake = await scene.fake();
  fake.on('getfd', () => null);
  const { monitor, host } = await scene.ready(fake.endpoint, { descriptorPassage: passage, ...options });
  const settled: [string, Settlement['kind']][] = [];
  const execute = (command: string, descriptors?: readonly number[], outOfBand = false) =>
    monitor.execute({
      ...{ command, outOfBand, argumentsJson: '{}' },
      ...(descriptors === undefined ? {} : { descriptors }),
      settle: ({ kind }) => settled.push([command, kind]),
    });
  const received = () => fake.commands.map(({ name }) => name).filter((name) => name !== 'qmp_capabilities');
  return { passage, fake, monitor, host, settled, execute, received };
}

describe('descriptors of commands', () => {
  it('go with their message alone, in its order among the others', async () => {
    const { passage, fake, execute, received, settled } = await stage();
    fake.on('getfd', () => ({ json: '{}' }));
    execute('query-status');
    execute('getfd', [7, 8]);
    execute('query-name');
    await expect.poll(() => settled.length).toBe(3);
    expect(received()).toEqual(['query-status', 'getfd', 'query-name']);
    expect(passage.passed).toEqual([
      { text: expect.stringMatching(/^\{"execute":"getfd"[^]*\}\n?$/), descriptors: [7, 8] },
    ]);
  });

  it('reach the server one message at a time; what came after one that waits waits too', async () => {
    const { passage, fake, execute, received, settled } = await stage();
    execute('getfd', [1]);
    execute('getfd', [2]);
    execute('query-name');
    execute('query-yank', undefined, true);
    await expect.poll(received).toEqual(['getfd', 'query-yank']);
    fake.answer(
      fake.commands.find(({ name }) => name === 'getfd')!,
      { json: '{}' },
    );
    await expect.poll(received).toEqual(['getfd', 'query-yank', 'getfd', 'query-name']);
    fake.answer(
      fake.commands.findLast(({ name }) => name === 'getfd')!,
      { error: { class: 'GenericError', desc: 'no' } },
    );
    await expect.poll(() => settled.length).toBe(4);
    expect(passage.passed.map(({ descriptors }) => descriptors)).toEqual([[1], [2]]);
  });

  it('are not sent where the connection has no way for them', async () => {
    const { execute, settled, received } = await stage({ descriptorPassage: undefined });
    execute('getfd', [1]);
    expect([settled, received()]).toEqual([[['getfd', 'not-sent']], []]);
    const tcp = await FakeMonitor.start({ listen: 'tcp' });
    scene.keep(tcp, (fake) => fake.stop());
    const passage = new RecordingPassage();
    const { monitor } = await scene.ready(tcp.endpoint, { descriptorPassage: passage });
    const kinds: string[] = [];
    monitor.execute({ command: 'getfd', descriptors: [1], settle: ({ kind }) => kinds.push(kind) });
    expect([kinds, passage.passed]).toEqual([['not-sent'], []]);
  });

  it('are given up with the session, and nobody writes meanwhile', async () => {
    const { passage, fake, execute, received, settled } = await stage();
    passage.instead = () => undefined;
    execute('getfd', [1]);
    execute('getfd', [2]);
    execute('query-name');
    await expect.poll(() => passage.passed.length).toBe(1);
    fake.connections[0]?.close();
    await expect
      .poll(() => settled)
      .toEqual([
        ['getfd', 'unknown'],
        ['getfd', 'not-sent'],
        ['query-name', 'not-sent'],
      ]);
    expect([received(), passage.givenUp]).toEqual([[], 1]);
  });

  it.each([
    ['later', (done: (error: Error | null) => void) => setImmediate(() => done(new Error('EPIPE')))],
    [
      'at once',
      () => {
        throw new Error('EMFILE');
      },
    ],
  ])('that cannot be passed end the session, %s', async (_, instead) => {
    const { passage, execute, settled, host } = await stage();
    passage.instead = instead;
    execute('getfd', [1]);
    await expect.poll(() => settled).toEqual([['getfd', 'unknown']]);
    expect(host.states.some(({ name }) => name === 'waiting')).toBe(true);
  });
});
