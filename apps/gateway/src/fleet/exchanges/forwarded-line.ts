import type { AuditLine } from '../../access/audit/audit-log.js';
import type { AuthenticatedContext } from '../../access/authenticated-request.js';
import { logged } from '../../http/request-context.js';
import type { RemoteVm } from '../fleet-view.js';

/** What the audit log of an entry says of what it handed over; what came of it stands in the log of the owner. */
export class ForwardedLine implements AuditLine {
  constructor(
    private readonly method: string,
    private readonly context: AuthenticatedContext,
    private readonly vm: RemoteVm,
    private readonly end: { readonly status: number; readonly operation: string },
  ) {}

  text(time: string): string {
    const { principal, path } = this.context;
    const { status, operation } = this.end;
    return JSON.stringify({
      time,
      ...logged(this.context),
      entrance: 'fleet',
      principal: principal.id,
      vm: this.vm.id,
      node: this.vm.node,
      method: this.method,
      path: path.slice(0, 1024),
      ...(operation === '' ? {} : { operation }),
      status,
    });
  }
}
