import { asObject, parsedJson } from '@qmp-gateway/qmp';
import type { SchemaCommand, VmSchema } from '../schemas/vm-schema.js';

const member = 'auto-dismiss';

/** A command as it is sent when the gateway follows its job. */
export interface FollowedJob {
  readonly json: string | undefined;
  /** The gateway dismisses the job when it has read how it ended. */
  readonly dismiss: boolean;
}

/**
 * Keeps the end of a job readable until the gateway has read it: a job that dismisses itself takes its error along when
 * nobody listens at that moment. Done only for callers that leave the job to the gateway; one that says itself when its
 * job goes dismisses it itself.
 */
export function followedJob(
  { definition, knowledge }: SchemaCommand,
  json: string | undefined,
  { commands }: Pick<VmSchema, 'commands'>,
): FollowedJob {
  // QEMU 2.12 could keep a job, and had another command to dismiss it.
  if (knowledge.completion?.kind !== 'job' || !commands.has('job-dismiss')) return { json, dismiss: false };
  const given = asObject(parsedJson(json ?? '{}')) ?? {};
  if (Object.hasOwn(given, member)) return { json, dismiss: false };
  const canBeKept = definition.arguments.members.some(({ name }) => name === member);
  // Jobs without the switch are always kept.
  if (!canBeKept || json === undefined) return { json, dismiss: true };
  const rest = json.slice(json.indexOf('{') + 1);
  return { json: `{"${member}":false${Object.keys(given).length > 0 ? ',' : ''}${rest}`, dismiss: true };
}
