import type { Logger } from 'pino';
import type { AuditObserver } from './audit/audit-log.js';
import type { KeySetObserver } from './credentials/jwt-verifier.js';
import type { TokenFileObserver } from './tokens/token-store.js';

/** What goes wrong with the files and keys of access control, as lines of the log. */
export class AccessLog implements AuditObserver, TokenFileObserver, KeySetObserver {
  constructor(private readonly log: Pick<Logger, 'warn' | 'error'>) {}

  auditUnwritable(error: string, path: string): void {
    this.log.error({ failure: error, path }, 'the audit log cannot be written');
  }

  auditWritable(): void {
    this.log.warn('the audit log is written again');
  }

  tokensUnreadable(error: string): void {
    this.log.error({ failure: error }, 'the tokens cannot be read again; those read before stay in use');
  }

  keysUnavailable(error: string): void {
    this.log.warn({ failure: error }, 'cannot read the keys of jwt.jwks');
  }
}
