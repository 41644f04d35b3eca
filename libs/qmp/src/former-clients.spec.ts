import { Scene, probe, type FakeCommand, type ProbedExecution } from '@qmp-gateway/test-kit';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

const scene = new Scene();

afterEach(() => scene.end());

/** An id as some client may have chosen it: of our form, of that of others, and of none. */
const anyId = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 100, max: 999 }).map(String) },
  fc.integer().map(String),
  fc.integer({ min: 100, max: 999 }).map((number) => `"${number}"`),
  fc.integer({ min: 100, max: 999 }).map((number) => `${number}.0`),
  fc.integer({ min: 1, max: 9 }).map((number) => `${number}e2`),
  fc.nat({ max: 20 }).map((count) => `"libvirt-${count}"`),
  fc.nat({ max: 20 }).map((count) => `"0123456789abcdef-${count}"`),
  fc.json({ maxDepth: 2 }),
);

const anyReply = fc
  .tuple(anyId, fc.boolean(), fc.boolean())
  .map(([id, isError, spaced]) =>
    isError
      ? `{"id": ${id}, "error": {"class": "GenericError", "desc": "to another"}}`
      : spaced
        ? `{"return": "to another", "id": ${id}}`
        : `{"return":"to another","id":${id}}`,
  );

/** How often the runner tries; each time with sockets. */
const runs = { numRuns: 25 };

const told = async ({ outcome }: ProbedExecution): Promise<string> => {
  const settlement = await outcome;
  return settlement.kind === 'return' ? settlement.value.toString() : settlement.kind;
};

describe('a reply to a former client', () => {
  it('is nobody else’s, whatever its id: all that it can be comes before ours to the negotiation', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyReply, { maxLength: 30 }),
        fc.array(anyReply, { maxLength: 30 }),
        async (...left) => {
          const fake = await scene.fake({
            connected: (connection) => {
              left[0].forEach((line) => connection.line(line));
              connection.line(fake.greeting);
            },
          });
          fake.on('qmp_capabilities', ({ connection }) => {
            left[1].forEach((line) => connection.line(line));
            // Whatever is in flight by now has one of these.
            for (let number = 100; number < 1000; number++)
              connection.line(`{"return": "to another", "id": ${number}}`);
            return { json: '{}' };
          });
          fake.on('ours', () => ({ return: 'ours' }));
          const { monitor, host } = await scene.ready(fake.endpoint);
          const commands = Array.from({ length: 8 }, () => probe(monitor, 'ours'));
          expect(new Set(await Promise.all(commands.map(told)))).toEqual(new Set(['"ours"']));
          expect(host.anomalies.map(({ kind }) => kind)).toEqual(
            Array.from({ length: left[0].length + left[1].length + 900 }, () => 'foreign-reply'),
          );
          await scene.end();
        },
      ),
      runs,
    );
  });

  it('that was this monitor itself is not taken for another’s even after that', async () => {
    const fake = await scene.fake();
    const handed: FakeCommand[] = [];
    fake.on('lost', (command) => {
      handed.push(command);
      return null;
    });
    const { monitor, host } = await scene.ready(fake.endpoint);
    for (let session = 0; session < 7; session++) {
      const lost = Array.from({ length: 8 }, () => probe(monitor, 'lost'));
      while (handed.length < 8 * (session + 1)) await new Promise((resolve) => setImmediate(resolve));
      fake.connections.at(-1)?.close();
      expect(await Promise.all(lost.map(told))).toEqual(Array.from({ length: 8 }, () => 'unknown'));
      await host.until(() => monitor.state.name === 'ready');
    }
    fake.on('ours', ({ connection }) => {
      for (const { id = '' } of handed) connection.line(`{"return": "lost", "id": ${id}}`);
      return { return: 'ours' };
    });
    // More than there are numbers.
    for (let count = 0; count < 130; count++) {
      const commands = Array.from({ length: 8 }, () => probe(monitor, 'ours'));
      expect(new Set(await Promise.all(commands.map(told)))).toEqual(new Set(['"ours"']));
    }
    expect(new Set(host.anomalies.map(({ kind }) => kind))).toEqual(new Set(['foreign-reply']));
  }, 60_000);
});

describe('a command', () => {
  it('has its own reply, in any order, over the wrap-around, past one that is never answered', async () => {
    const fake = await scene.fake();
    let due: FakeCommand[] = [];
    fake.on('never', () => null);
    fake.on('echo', (command) => {
      due.push(command);
      return null;
    });
    const { monitor } = await scene.ready(fake.endpoint);
    const never = probe(monitor, 'never');
    for (let round = 0; round < 200; round++) {
      const sent = Array.from({ length: 7 }, (_, at) => round * 7 + at);
      const commands = sent.map((n) => probe(monitor, 'echo', { argumentsJson: `{"n": ${n}}` }));
      while (due.length < sent.length) await new Promise((resolve) => setImmediate(resolve));
      const answered = round % 2 === 0 ? due : due.reverse();
      due = [];
      for (const command of answered) fake.answer(command, { return: command.arguments });
      expect(await Promise.all(commands.map(told))).toEqual(sent.map((n) => `{"n":${n}}`));
    }
    expect(never.settled()).toBe(0);
    expect(new Set(fake.commands.map(({ id }) => id)).size).toBe(901);
  });

  it('is not answered by a forged reply with an id in another form', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('"ID"', 'ID.0', '[ID]', '{"id":ID}', '-ID', 'IDe0', '"x-ID"'), async (form) => {
        const fake = await scene.fake();
        fake.on('ours', ({ id = '', connection }) => {
          connection.line(`{"return": "forged", "id": ${form.replace('ID', id)}}`);
          return { return: 'ours' };
        });
        const { monitor, host } = await scene.ready(fake.endpoint);
        expect(await told(probe(monitor, 'ours'))).toBe('"ours"');
        expect(host.anomalies.map(({ kind }) => kind)).toEqual(['foreign-reply']);
        await scene.end();
      }),
      runs,
    );
  });
});
