import { withoutSecrets, type ServerKind } from '@qmp-gateway/catalog';
import { nearestNames } from '@qmp-gateway/qapi';
import type { Settlement } from '@qmp-gateway/qmp';
import type { ProblemCode } from '../problems/catalogue.js';
import { didYouMean, Problem, type ProblemFields } from '../problems/problem.js';
import type { SchemaCommand } from '../schemas/vm-schema.js';

/** QMP error classes to problems; never by `desc`. Whatever is not listed is `command-failed`. */
const byClass: Readonly<Record<string, ProblemCode>> = {
  CommandNotFound: 'command-not-found',
  DeviceNotFound: 'device-not-found',
  DeviceNotActive: 'device-not-active',
  KVMMissingCap: 'kvm-missing-cap',
};

/** What was sent, as far as an answer may repeat it. */
export interface Sent {
  readonly kind: ServerKind;
  readonly argumentsJson?: string | undefined;
}

/** The problem for an outcome other than a return value. It contains none of the secrets that the command carried. */
export function problemOf(
  settlement: Exclude<Settlement, { kind: 'return' }>,
  vm: string,
  command: SchemaCommand,
  { kind, argumentsJson }: Sent,
): Problem {
  const about: ProblemFields = { vm, command: command.name };
  switch (settlement.kind) {
    case 'error': {
      const { class: errorClass } = settlement;
      const desc =
        argumentsJson === undefined
          ? settlement.desc
          : withoutSecrets(kind, command.name, argumentsJson, settlement.desc);
      const code = Object.hasOwn(byClass, errorClass) ? byClass[errorClass] : undefined;
      const said = desc || `${command.name} failed, and the VM does not say why.`;
      const suggestions = code === undefined ? meantMembers(command, argumentsJson) : [];
      const detail = suggestions.length > 0 ? `${said.replace(/\.$/, '')}.${didYouMean(suggestions)}` : said;
      return new Problem(code ?? 'command-failed', detail, {
        ...about,
        outcome: 'refused',
        qmp: { class: errorClass, desc },
        suggestions,
      });
    }
    case 'unreadable':
      return new Problem('malformed-json', 'The command holds a character that no QMP server reads.', about);
    case 'too-large':
      return new Problem('body-too-large', `This VM takes messages of at most ${settlement.limit} bytes.`, about);
    case 'not-sent':
      return new Problem('vm-unavailable', `The VM was lost before the command was sent: ${settlement.cause}.`, about);
    case 'unknown':
      return new Problem('outcome-unknown', `The command was sent, but ${settlement.cause}.`, {
        ...about,
        // A command that changes nothing cannot be done twice.
        retryable: command.class === 'read',
      });
  }
}

/** Members that are compared with the declared ones: a search takes microseconds each. */
const mostCompared = 10;

/**
 * A command that takes more members than it declares lets a mistyped one pass, and the VM's error may be about something
 * else: the declared members that were left out and are near to one that was given.
 */
function meantMembers({ definition, validation }: SchemaCommand, argumentsJson: string | undefined): string[] {
  if (argumentsJson === undefined || validation.openMembers !== true) return [];
  const given = Object.keys(JSON.parse(argumentsJson) as object);
  const declared = definition.arguments.members.map(({ name }) => name);
  const left = declared.filter((name) => !given.includes(name));
  const undeclared = given.filter((name) => !declared.includes(name)).slice(0, mostCompared);
  return [...new Set(undeclared.flatMap((name) => nearestNames(name, left)))];
}
