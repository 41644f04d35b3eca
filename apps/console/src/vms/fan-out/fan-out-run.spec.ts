import { GatewayUnreachable } from '@qmp-gateway/client';
import { expect, it } from 'vitest';
import { FanOutRun, partsOf } from './fan-out-run.js';

type Client = ConstructorParameters<typeof FanOutRun>[0];
type Options = Parameters<Client['fanOut']>[2];

it('has a result of each VM, also of those that are gone', async () => {
  const client = {
    // eslint-disable-next-line @typescript-eslint/require-await
    async *fanOut() {
      yield { vm: 'a', status: 200, return: {} };
      yield {
        vm: 'b',
        status: 422,
        problem: { code: 'command-failed', status: 422, outcome: 'refused', detail: 'no' },
      };
    },
  } as unknown as Client;
  const run = new FanOutRun(client, 'stop', ['a', 'b', 'c']);
  await run.run();
  expect(run.isOver).toBe(true);
  expect(run.results).toEqual([
    { vm: 'a', kind: 'done' },
    { vm: 'b', kind: 'refused', detail: 'no' },
    { vm: 'c', kind: 'not-sent', detail: 'The gateway knows no such VM any more.' },
  ]);
});

it('does not know what became of those whose answer was cut off', async () => {
  const client = {
    // eslint-disable-next-line @typescript-eslint/require-await
    async *fanOut() {
      yield { vm: 'a', status: 200, return: {} };
      throw new GatewayUnreachable('cut off');
    },
  } as unknown as Client;
  const run = new FanOutRun(client, 'stop', ['a', 'b']);
  await run.run();
  expect(run.results.map(({ vm, kind }) => `${vm} ${kind}`)).toEqual(['a done', 'b unknown']);
});

it('sends to no further VM once it is stopped', async () => {
  const asked: Options[] = [];
  const client = {
    // eslint-disable-next-line @typescript-eslint/require-await
    async *fanOut(_command: string, _args: undefined, options: Options) {
      asked.push(options);
      yield* [];
    },
  } as unknown as Client;
  const run = new FanOutRun(client, 'stop', ['a']);
  run.stop();
  await run.run();
  expect(asked).toEqual([]);
  expect(run.results).toMatchObject([{ vm: 'a', kind: 'not-sent' }]);
});

it('makes requests of heads that the gateway takes', () => {
  const ids = Array.from({ length: 10_000 }, (_, at) => `web-${at}`);
  const parts = partsOf(ids);
  expect(parts.flat()).toEqual(ids);
  for (const part of parts) expect(part.map((id) => `&vm=${id}`).join('').length).toBeLessThanOrEqual(6_000);
  expect(partsOf([])).toEqual([]);
});
