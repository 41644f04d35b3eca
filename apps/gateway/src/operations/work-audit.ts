import type { AuditLine } from '../access/audit/audit-log.js';
import { quotedName } from '../access/audit/quoted-name.js';
import { formatMilliseconds } from '../http/format-milliseconds.js';
import type { ProblemCode } from '../problems/catalogue.js';
import type { ShownState } from './operation-state.js';

/** How work is that goes on after a reply, or how it ended. */
export interface WorkEnd {
  readonly state: ShownState;
  readonly problem: ProblemCode | undefined;
}

/** Work that has ended, of a command that was answered before. */
export interface EndedWork extends WorkEnd {
  readonly principalId: string;
  readonly vm: string;
  readonly command: string;
  readonly operation: string;
  /** Since its command was accepted. */
  readonly durationMs: number;
}

/** The end of work that went on after its command's reply, whether anybody waited for it or not. */
export class WorkLine implements AuditLine {
  constructor(private readonly ended: EndedWork) {}

  text(time: string): string {
    const { principalId, vm, command, operation, durationMs, ...end } = this.ended;
    return (
      `{"time":"${time}","principal":${quotedName(principalId)},"vm":${quotedName(vm)},"command":${quotedName(command)},` +
      `"operation":${quotedName(operation)}${workEnding(end)},"ms":${formatMilliseconds(durationMs)}}`
    );
  }
}

/** The members that tell of work, each with a comma before it. */
export function workEnding(work: WorkEnd | undefined): string {
  if (work === undefined) return '';
  return `,"work":"${work.state}"${work.problem === undefined ? '' : `,"problem":"${work.problem}"`}`;
}
