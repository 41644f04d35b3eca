import type { GatewayClient, ProblemDocument } from '@qmp-gateway/client';
import { Signal } from '../../api/signal.js';
import { sentenceOf } from '../../commands/run-command.js';

/** What became of the command at one VM. */
export interface FanOutResult {
  readonly vm: string;
  readonly kind: 'done' | 'refused' | 'not-sent' | 'unknown';
  readonly detail?: string | undefined;
}

/** Characters of ids in one request: the gateway takes heads of 16 KiB. */
const longestIds = 6_000;

/** Ids in parts, each for one request. */
export function partsOf(ids: readonly string[], longest = longestIds): readonly (readonly string[])[] {
  const parts: string[][] = [];
  let length = Infinity;
  for (const id of ids) {
    const cost = id.length + '&vm='.length;
    if (length + cost > longest) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1)?.push(id);
    length += cost;
  }
  return parts;
}

/** One command for many VMs: a result for every one of them, whatever happens on the way. */
export class FanOutRun {
  readonly changed = new Signal();
  results: readonly FanOutResult[] = [];
  isOver = false;
  readonly #ending = new AbortController();

  constructor(
    private readonly client: Pick<GatewayClient, 'fanOut'>,
    readonly command: string,
    readonly ids: readonly string[],
  ) {}

  /** Resolves when there is a result of each VM. Never rejects. */
  async run(): Promise<void> {
    for (const part of partsOf(this.ids)) await this.#runPart(part);
    this.isOver = true;
    this.changed.tell();
  }

  /** Sends it to no further VM. Those that have it go on. */
  stop(): void {
    this.#ending.abort();
  }

  async #runPart(ids: readonly string[]): Promise<void> {
    const left = new Set(ids);
    const { signal } = this.#ending;
    try {
      if (!signal.aborted)
        for await (const line of this.client.fanOut(this.command, undefined, { vm: ids, signal })) {
          left.delete(line.vm);
          this.#add('problem' in line ? failed(line.vm, line.problem) : { vm: line.vm, kind: 'done' });
        }
      for (const vm of left)
        this.#add(
          signal.aborted
            ? { vm, kind: 'not-sent', detail: 'Stopped before it was sent.' }
            : { vm, kind: 'not-sent', detail: 'The gateway knows no such VM any more.' },
        );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const outcome = (error as { outcome?: FanOutResult['kind'] }).outcome ?? 'unknown';
      for (const vm of left) this.#add({ vm, kind: outcome, detail: why });
    }
  }

  #add(result: FanOutResult): void {
    this.results = [...this.results, result];
    this.changed.tell();
  }
}

function failed(vm: string, problem: ProblemDocument): FanOutResult {
  return { vm, kind: problem.outcome, detail: sentenceOf(problem) };
}
