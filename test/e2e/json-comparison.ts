import { JsonSyntaxError, readJson } from '@qmp-gateway/qapi';
import { SilentServer, type RawQmpClient } from '@qmp-gateway/test-kit';
import { inDoubleQuotes } from '../../apps/gateway/src/sockets/qmp-quotes.js';

/** Messages that QEMU has before it at once. */
const batchSize = 100;
/** A batch takes QEMU two seconds at most. */
const silenceMs = 30_000;
const waking = 'go on';

/** A text that our JSON reader and that of a QEMU take differently. */
export interface Difference {
  readonly text: string;
  readonly qemu: 'takes' | 'refuses';
  /** Why ours is to differ, or, unexplained, what it says. */
  readonly reason: string;
  readonly isKnown: boolean;
}

/**
 * Why our reader refuses what QEMU takes: JSON is RFC 8259, and clients that send something else are told so. Each makes
 * of a text what our reader takes, where that alone is the difference.
 */
const knownDifferences: Readonly<Record<string, (text: Buffer) => Buffer>> = {
  'strings in single quotes, and the escape of one, are no JSON': inDoubleQuotes,
  'NUL in two bytes is not UTF-8': (text) =>
    Buffer.from(text.toString('latin1').replaceAll('\xc0\x80', '\\u0000'), 'latin1'),
};

/** QEMU counts the message around the arguments too; the gateway takes 64, and no command has use for so many. */
const depthOfQemu = 1024 - 1;

/** Compares `readJson` with the reader behind a real monitor, which answers with an id exactly what it could read. */
export class JsonComparison {
  readonly differences: Difference[] = [];
  /** Each time that QEMU was silent until one more command came. */
  readonly stalls: string[] = [];
  compared = 0;
  taken = 0;
  #count = 0;

  constructor(private readonly monitor: RawQmpClient) {}

  /** @param next the text to compare next; undefined at the end */
  async run(next: () => Buffer | undefined): Promise<void> {
    for (;;) {
      const texts: Buffer[] = [];
      while (texts.length < batchSize) {
        const text = next();
        if (text === undefined) break;
        texts.push(text);
      }
      if (texts.length === 0) return;
      await this.#compare(texts);
    }
  }

  async #compare(texts: readonly Buffer[]): Promise<void> {
    const refusals = texts.map((text) => refusalOf(text));
    const answered = await this.#ask(texts, refusals);
    for (const [at, text] of texts.entries()) {
      const refusal = refusals[at];
      this.compared++;
      if (answered.has(at)) this.taken++;
      if (answered.has(at) === (refusal === undefined)) continue;
      // One that leaves its reader in the midst of something spoils the next: each alone, then.
      const alone = await this.#takesAlone(text, refusal);
      if (alone === (refusal === undefined)) continue;
      const known = alone ? knownReason(text) : undefined;
      this.differences.push({
        text: JSON.stringify(text.toString('latin1').slice(0, 300)),
        qemu: alone ? 'takes' : 'refuses',
        reason: known ?? refusal ?? 'ours takes it',
        isKnown: known !== undefined,
      });
    }
  }

  /**
   * Whether QEMU answers the whole of it. An error without an id before its answer refused the beginning: what was
   * answered is then a message that began inside the text and took the end of the one around it.
   */
  async #takesAlone(text: Buffer, refusal: string | undefined): Promise<boolean> {
    let isRefused = false;
    const answered = await this.#ask([text], [refusal], (at) => (isRefused ||= at === undefined));
    return answered.has(0) && !isRefused;
  }

  /**
   * @param onAnswer called for each line until the last text has its answer; undefined for a line without an id
   * @returns the places of those that QEMU answered with their id
   */
  async #ask(
    texts: readonly Buffer[],
    refusals: readonly (string | undefined)[],
    onAnswer: (at: number | undefined) => void = () => undefined,
  ): Promise<ReadonlySet<number>> {
    const batch = ++this.#count;
    const messages = texts.flatMap((text, at) => [
      Buffer.from('{"execute":"query-name","arguments":'),
      text,
      // After what it should refuse, and at the end, its reader starts afresh.
      Buffer.from(`,"id":"${batch}.${at}"}\n${refusals[at] === undefined ? '' : '\xff\n'}`, 'latin1'),
    ]);
    this.monitor.write(
      Buffer.concat([...messages, Buffer.from(`\xff\n{"execute":"query-name","id":"${batch}."}\n`, 'latin1')]),
    );
    const answered = new Set<number>();
    for (;;) {
      const line = await this.#line();
      if (line === null)
        throw new Error(`QEMU ended at one of ${texts.map((text) => text.toString('latin1')).join('\n')}`);
      if (line.includes(waking)) continue;
      const id = new RegExp(`"id": "${batch}\\.(\\d*)"`).exec(line)?.[1];
      if (id === '') return answered;
      if (!answered.has(texts.length - 1)) onAnswer(id === undefined ? undefined : Number(id));
      if (id !== undefined) answered.add(Number(id));
    }
  }

  /** A monitor that stopped although bytes wait for it, or in it, goes on with another command: that is counted. */
  async #line(): Promise<string | null> {
    try {
      return await this.monitor.line(silenceMs);
    } catch (error) {
      if (!(error instanceof SilentServer)) throw error;
      this.stalls.push(error.message);
      this.monitor.write(`{"execute":"query-name","id":"${waking}"}\n`);
      return await this.monitor.line(silenceMs);
    }
  }
}

/** Why our reader refuses it; undefined when it takes it. */
function refusalOf(text: Buffer, maxDepth?: number): string | undefined {
  try {
    readJson(text, maxDepth === undefined ? {} : { maxDepth });
    return undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message;
    throw error;
  }
}

function knownReason(text: Buffer): string | undefined {
  if (refusalOf(text, depthOfQemu) === undefined) return 'nested deeper than 64';
  let rest = text;
  const reasons: string[] = [];
  for (const [reason, corrected] of Object.entries(knownDifferences)) {
    const better = corrected(rest);
    if (!better.equals(rest)) reasons.push(reason);
    rest = better;
  }
  const left = refusalOf(rest, depthOfQemu);
  if (left === undefined) return reasons.join('; ');
  // The rest became part of the message around it; what the gateway sends is one value.
  return left.endsWith('more text after the JSON value') ? 'more than one value' : undefined;
}
