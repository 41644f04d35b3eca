import type { RequestLimiter } from '../access/request-limiter.js';
import { closeDescriptors, type CommandAsker, type CommandPath, type CommandRequest } from './command-request.js';

/** Commands that come over a connection count as the requests they would be over HTTP. */
export class LimitedCommandPath implements CommandPath {
  constructor(
    private readonly path: CommandPath,
    private readonly limits: { readonly limiter: RequestLimiter | undefined },
  ) {}

  execute(request: CommandRequest, asker: CommandAsker): void {
    const refusal = this.limits.limiter?.take(request.principal.id).refusal;
    if (refusal === undefined) this.path.execute(request, asker);
    else {
      closeDescriptors(request);
      asker.answered({ ok: false, problem: refusal.about({ vm: request.vm, command: request.command }), trace: {} });
    }
  }
}
