import { Controller, Get, Inject } from '@nestjs/common';
import { JsonAnswer } from '../../http/json-answer.js';
import { anyObject, list, wholeNumber } from '../../http/resource/field-type.js';
import { json, QueryOf, Resource, Tag } from '../../http/resource/resource.js';
import { Optional, Required, Shape, shape } from '../../http/resource/shape.js';
import { Problem } from '../../problems/problem.js';
import type { AuthenticatedContext } from '../authenticated-request.js';
import { Caller } from '../caller.js';
import { AuditLog } from './audit-log.js';
import { tailOf } from './audit-tail.js';

const mostLines = 1_000;

@Shape('GetAuditQuery')
class AuditQuery {
  @Optional(wholeNumber({ least: 1, most: mostLines }), 'At most this many records, the newest')
  limit = 200;
}

@Shape('AuditTail')
class AuditTailShape {
  @Required(list(anyObject()), 'The newest last, as the log has them')
  records!: readonly Readonly<Record<string, unknown>>[];
}

/** `/v1/audit`: the end of the audit log, for whoever may see all that is in it. */
@Tag('access', 'Tokens and what they allow')
@Controller('v1/audit')
export class AuditController {
  constructor(@Inject(AuditLog) private readonly audit: AuditLog) {}

  @Get()
  @Resource({
    id: 'getAuditTail',
    summary: 'The newest records of the audit log',
    description: 'From the last MiB of the current file: what was rotated away is not in it.',
    needs: 'level `host` on all VMs',
    answers: {
      200: json(
        'Records',
        shape(() => AuditTailShape),
      ),
    },
  })
  async tail(
    @Caller() { principal }: AuthenticatedContext,
    @QueryOf(AuditQuery) { limit }: AuditQuery,
  ): Promise<JsonAnswer> {
    if (!principal.reaches('host') || !principal.seesAll)
      throw new Problem(
        'forbidden',
        'The audit log has what all principals did on all VMs: it needs level host on all VMs.',
      );
    await this.audit.flush();
    const lines = await tailOf(this.audit.path, limit).catch(noneOfMovedFile);
    return new JsonAnswer(`{"records":[${lines.filter(isRecord).join(',')}]}`);
  }
}

/** Moved away by a rotation that has not told the gateway yet: nothing is in the current file. */
function noneOfMovedFile(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** A crash of the gateway, or of its host, may have left anything in a line. */
function isRecord(line: string): boolean {
  try {
    return line.startsWith('{') && typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}
