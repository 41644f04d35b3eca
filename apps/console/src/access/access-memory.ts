import type { CommandOutlook, GatewayClient } from '@qmp-gateway/client';

/** What the caller may do with a command, and why. */
export interface May {
  /** `by-arguments`: some arguments are allowed. Undefined while it is being asked. */
  readonly allowed: boolean | 'by-arguments' | undefined;
  /** In words, for the reader; empty while it is being asked. */
  readonly reason: string;
}

/** Answers that are kept; past it the oldest is asked again. */
const mostAnswers = 2_000;

/**
 * What the caller may do, asked of `/v1/access` once for each VM and command. The answer may become old: then the gateway
 * refuses, and says why.
 */
export class AccessMemory {
  readonly #answers = new Map<string, Promise<May>>();

  constructor(private readonly client: Pick<GatewayClient, 'vm'>) {}

  /** Never rejects: where it cannot be known the command is offered, and the gateway decides. */
  mayRun(vm: string, command: string, agent = false): Promise<May> {
    const key = JSON.stringify([vm, command, agent]);
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#ask(vm, command, agent).catch(() => {
        this.#answers.delete(key);
        return { allowed: true, reason: '' };
      });
      this.#answers.set(key, answer);
      const [oldest] = this.#answers.keys();
      if (this.#answers.size > mostAnswers && oldest !== undefined) this.#answers.delete(oldest);
    }
    return answer;
  }

  async #ask(vm: string, command: string, agent: boolean): Promise<May> {
    const { allowed, reason, ...outlook } = await this.client.vm(vm).mayRun(command, { agent });
    return { allowed, reason: allowed === true ? '' : explain(command, reason, outlook) };
  }
}

function explain(
  command: string,
  reason: string,
  { level, lowestClass }: Pick<CommandOutlook, 'level' | 'lowestClass'>,
): string {
  if (reason !== '') return reason.startsWith('needs') ? `${command} ${reason}` : reason;
  return `${command} needs level ${lowestClass}; you have ${level}.`;
}
