/** Our JSON reader and QEMU's, on 100,000 texts. `SEED` plays a run again. */
import { findUnreadable } from '@qmp-gateway/qapi';
import { RawQmpClient } from '@qmp-gateway/test-kit';
import { afterAll, expect, it } from 'vitest';
import { GatewayScene } from '../e2e/gateway-scene.js';
import { JsonComparison } from '../e2e/json-comparison.js';
import { argumentsText } from '../e2e/json-values.js';
import { randomNumbers, seedOf } from '../e2e/random-numbers.js';

const texts = 100_000;
/** Two QEMUs, each with a processor to itself: one monitor reads some 270 KB/s. */
const monitors = 2;
/** Characters in one string, where both readers are to take all of them. */
const together = 500;

const scene = new GatewayScene();
afterAll(() => scene.end());

async function compare(next: () => Buffer | undefined): Promise<JsonComparison[]> {
  return await Promise.all(
    Array.from({ length: monitors }, async () => {
      const { socket } = await scene.qemu();
      const monitor = scene.keep(await RawQmpClient.connect(socket), (client) => client.close());
      await monitor.negotiate();
      const comparison = new JsonComparison(monitor);
      await comparison.run(next);
      for (const stall of comparison.stalls) process.stdout.write(`json reader: QEMU stalled: ${stall}\n`);
      return comparison;
    }),
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0);

it('reads JSON as a real QEMU does on 100,000 texts, but for differences that have their reason', async () => {
  const random = randomNumbers(seedOf('json reader'));
  let left = texts;
  const comparisons = await compare(() => (left-- > 0 ? argumentsText(random) : undefined));
  const differences = comparisons.flatMap((comparison) => comparison.differences);
  const known = new Map<string, number>();
  for (const { reason, isKnown } of differences) if (isKnown) known.set(reason, (known.get(reason) ?? 0) + 1);
  const compared = sum(comparisons.map((comparison) => comparison.compared));
  const taken = sum(comparisons.map((comparison) => comparison.taken));
  process.stdout.write(`json reader: ${compared} compared, ${taken} taken by QEMU; ${JSON.stringify([...known])}\n`);
  expect(differences.filter(({ isKnown }) => !isKnown)).toEqual([]);
  expect(compared).toBe(texts);
  expect(taken).toBeGreaterThan(texts / 4);
  expect(taken).toBeLessThan((texts * 3) / 4);
});

it('reads every character that a real QEMU reads, and no other, raw and escaped', async () => {
  const comparisons = await compare(characterTexts());
  expect(comparisons.flatMap(({ differences }) => differences)).toEqual([]);
});

/**
 * Every code point that can be in a string: those that are refused alone, the others many in a string. Escapes are twice
 * the bytes: those of the first plane, and at the edges of the others.
 */
function characterTexts(): () => Buffer | undefined {
  const alone: string[] = [];
  const others: string[] = [];
  for (let codePoint = 0x20; codePoint <= 0x10ffff; codePoint++) {
    const character = String.fromCodePoint(codePoint);
    if (character === '"' || character === '\\') continue;
    // In UTF-8 a surrogate can't be written by this; the comparison of texts has them.
    const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
    if (findUnreadable(character) === undefined) others.push(character);
    else alone.push(...(isSurrogate ? [] : [character]), escaped(character));
  }
  const strings = (function* (): Iterable<string> {
    yield* alone;
    for (let at = 0; at < others.length; at += together) {
      const characters = others.slice(at, at + together);
      yield characters.join('');
    }
    const written = others.filter((character) => isEscaped(character.codePointAt(0) ?? 0));
    for (let at = 0; at < written.length; at += together)
      yield written
        .slice(at, at + together)
        .map(escaped)
        .join('');
  })()[Symbol.iterator]();
  return () => {
    const { value, done } = strings.next();
    return done === true ? undefined : Buffer.from(`{"x":"${value}"}`);
  };
}

function isEscaped(codePoint: number): boolean {
  return codePoint < 0x10000 || ((codePoint + 0x20) & 0xffff) < 0x40;
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
    '',
  );
}
