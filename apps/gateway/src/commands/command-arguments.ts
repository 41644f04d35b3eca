import {
  argumentsFromQuery,
  readJson,
  validateArguments,
  type CheckedArguments,
  type JsonDocument,
} from '@qmp-gateway/qapi';
import { malformedJson } from '../problems/malformed-json.js';
import { Problem, type Fault } from '../problems/problem.js';
import { withMeantHeaders } from './misplaced-controls.js';
import { argumentsToSend } from './arguments-to-send.js';
import type { CommandRun } from './command-run.js';
import type { CommandArguments } from './command-request.js';
import type { CommandTarget } from './command-target.js';
import { pastedOptionFaults } from './pasted-options.js';
import { requireReadableQuery } from './readable-text.js';

/** Arguments that came as JSON, read once for all that look at them. @throws Problem `malformed-json` */
export function readArguments(args: CommandArguments): JsonDocument | undefined {
  if (args.kind !== 'json') return undefined;
  if (args.document !== undefined) return args.document;
  try {
    return readJson(args.json);
  } catch (error) {
    throw malformedJson(error);
  }
}

/**
 * Reads the arguments of a run into its `document`. A query is made JSON by the command's schema, and so checked by that.
 * @returns the result of that check
 */
export function readRunArguments(run: CommandRun): CheckedArguments | undefined {
  const { arguments: args } = run.request;
  if (args.kind !== 'query') {
    run.document = readArguments(args);
    return undefined;
  }
  requireReadableQuery(args.pairs);
  const { command } = run.found;
  const checked = withMeantHeaders(argumentsFromQuery(command.definition, args.pairs, command.validation), command);
  if (checked.json !== undefined) run.document = readJson(checked.json);
  return checked;
}

/**
 * Checks the arguments of a run against the command's schema.
 * @param checked where reading them was the check
 * @returns them as this server takes them
 * @throws Problem `invalid-arguments` with all faults
 */
export function validArguments(run: CommandRun, checked: CheckedArguments | undefined): string | undefined {
  const { schema, command } = run.found;
  const { faults, json } = checked ?? validateArguments(command.definition, run.document, command.validation);
  const pasted = pastedOptionFaults(schema.origin.kind, command.name, run.document?.root);
  if (faults.length + pasted.length > 0) throw invalidArguments(run.found, run.document, [...faults, ...pasted]);
  return argumentsToSend(schema.origin.kind, command.name, json);
}

/** @throws Problem `body-too-large` for a command that is longer when it is encoded */
export function requireSize(command: string, json: string | undefined, commandBytes: number): void {
  if (json === undefined || json.length + command.length < commandBytes / 3) return;
  if (Buffer.byteLength(json) + command.length > commandBytes) throw commandTooLarge(commandBytes);
}

export function commandTooLarge(commandBytes: number): Problem {
  return new Problem('body-too-large', `The encoded command is over ${commandBytes} bytes (limits.commandBytes).`);
}

function invalidArguments(
  { vm, server, command }: CommandTarget,
  given: JsonDocument | undefined,
  errors: readonly Fault[],
): Problem {
  const count = errors.length === 1 ? 'one fault' : `${errors.length} faults`;
  const detail = `The arguments of ${command.name} do not fit its schema: ${count}, listed in errors.`;
  const members = given?.root.kind === 'object' ? given.root.members.map(({ name }) => name) : [];
  const isUnknown = (name: string) => members.includes(name) && errors.some(({ pointer }) => pointer === `/${name}`);
  if (isUnknown('execute') || isUnknown('exec-oob')) {
    const meant = `POST /v1/vms/${vm.id}/${server === vm ? 'qmp' : 'agent'}`;
    const hint = `The body here is the arguments object alone; a whole QMP message goes to ${meant}.`;
    return new Problem('invalid-arguments', `${detail} ${hint}`, { errors, suggestions: [meant] });
  }
  const hint = isUnknown('arguments') ? ' The body here is the arguments object itself, not one that holds it.' : '';
  return new Problem('invalid-arguments', `${detail}${hint}`, { errors });
}
