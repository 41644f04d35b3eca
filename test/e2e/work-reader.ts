import type { GatewayProcess } from './gateway-process.js';
import { exchange, type Exchange } from './http-exchange.js';
import { openLines, type EventLines } from './event-readers.js';
import { run } from './gateway-scene.js';

/** An operation as the gateway shows it. */
export interface ShownOperation {
  readonly id: string;
  readonly vm: string;
  readonly command: string | null;
  readonly state: string;
  readonly epoch: string | null;
  readonly started: string;
  readonly ended: string | null;
  readonly deadline?: string;
  readonly progress: { readonly current: number; readonly total: number; readonly unit: string } | null;
  readonly error: { readonly code: string; readonly detail: string } | null;
  readonly events: readonly {
    readonly cursor: string;
    readonly event: string;
    readonly data: Record<string, unknown>;
  }[];
  readonly job?: { readonly id: string; readonly type: string | null; readonly status: string | null };
  readonly problem?: Record<string, unknown>;
}

/** What a command is sent with whose work is waited for. */
export interface Preferring {
  /** The `Prefer` header. */
  readonly prefers: string;
  readonly args?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Runs a command whose work is waited for. */
export function prefer(
  gateway: GatewayProcess,
  vm: string,
  command: string,
  { prefers, args, headers }: Preferring,
): Promise<Exchange> {
  return run(gateway, vm, command, { args: args && JSON.stringify(args), headers: { Prefer: prefers, ...headers } });
}

/** One operation, by its path. @param wait how long for its end */
export async function operationAt(gateway: GatewayProcess, path: string, wait?: string): Promise<ShownOperation> {
  const answer = await exchange(gateway, wait === undefined ? path : `${path}?wait=${wait}`);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.text}`);
  return answer.json() as unknown as ShownOperation;
}

/** The operation an answer names. */
export function operationOf(
  gateway: GatewayProcess,
  vm: string,
  answer: Exchange,
  wait?: string,
): Promise<ShownOperation> {
  return operationAt(gateway, `/v1/vms/${vm}/operations/${String(answer.headers['qmp-operation'])}`, wait);
}

/** What the event stream tells of operations. */
export class OperationStream {
  readonly told: ShownOperation[] = [];
  #wake: () => void = () => undefined;

  private constructor(private readonly lines: EventLines) {}

  /** From now on. */
  static async open(gateway: GatewayProcess, vm: string): Promise<OperationStream> {
    const path = `/v1/vms/${vm}/events?event=operation`;
    const stream = new OperationStream(await openLines(gateway, path, 'application/x-ndjson'));
    void stream.#read().catch(() => undefined);
    return stream;
  }

  /** The first of which that holds, also of those told before. */
  async until(holds: (told: ShownOperation) => boolean): Promise<ShownOperation> {
    for (let at = 0; ; at++) {
      while (at >= this.told.length) await new Promise<void>((resolve) => (this.#wake = resolve));
      const operation = this.told[at];
      if (operation !== undefined && holds(operation)) return operation;
    }
  }

  /** How far a command was each time that was told. */
  progressOf(command: string): number[] {
    const told = this.told.filter((operation) => operation.command === command);
    return told.map(({ progress }) => progress?.current ?? 0);
  }

  close(): void {
    this.lines.close();
  }

  async #read(): Promise<void> {
    for (let line = await this.lines.line(); line !== null; line = await this.lines.line()) {
      this.told.push((JSON.parse(line) as { data: ShownOperation }).data);
      this.#wake();
    }
  }
}
