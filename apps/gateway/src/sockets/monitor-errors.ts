import { jsonPointerSteps, JsonSyntaxError } from '@qmp-gateway/qapi';
import type { ProblemCode } from '../problems/catalogue.js';
import type { Fault, Problem } from '../problems/problem.js';
import type { StrayByte } from './qmp-input.js';

const longestShown = 100;

/** The `error` member of an answer, as QMP has it. */
export interface QmpError {
  readonly class: string;
  readonly desc: string;
}

/** All errors outside the few classes that programs match on are a GenericError. */
export function genericError(desc: string): QmpError {
  return { class: 'GenericError', desc };
}

/** The answer to bytes that are not JSON; it has no id, because none could be read. */
export function inputError(fault: StrayByte | JsonSyntaxError): QmpError {
  if (fault instanceof JsonSyntaxError) return genericError(`Not JSON: ${fault.message}`);
  const { byte } = fault;
  const shown =
    byte > 0x20 && byte < 0x7f
      ? `'${String.fromCharCode(byte)}'`
      : `byte 0x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return genericError(`Not JSON: ${shown} is out of place`);
}

/**
 * QEMU's error, or the gateway's in QEMU's terms: for a client that knows commands, arguments and a monitor, and
 * nothing of requests, bodies and problems.
 */
export function qmpErrorOf(problem: Problem): QmpError {
  if (problem.fields.qmp !== undefined) return problem.fields.qmp;
  if (problem.code === 'command-not-found') return { class: 'CommandNotFound', desc: commandNotFound(problem) };
  const words = wording[problem.code];
  return genericError(withoutFullStop(words === undefined ? problem.detail : words(problem)));
}

/** Replacements for details that would puzzle such a client; any other detail is about the command or the VM. */
const wording: Partial<Record<ProblemCode, (problem: Problem) => string>> = {
  'malformed-json': ({ detail }) => `The arguments can't be read: ${detail}`,
  'invalid-arguments': ({ detail, fields }) => fields.errors?.map(argumentFault).join('; ') ?? detail,
  'not-offered': ({ detail }) => detail.replace(/, which HTTP can ?not carry/, ', which this monitor can not pass on'),
  'body-too-large': ({ detail }) => detail.replace('The encoded command', 'The command'),
  'too-many-requests': ({ detail }) => detail.replace('requests a second', 'commands a second'),
  'vm-not-found': () => 'The VM of this monitor is not known any more',
  'epoch-changed': () => 'The connection to the VM was lost; the command was not run',
  'deadline-exceeded': ({ outcome, detail }) =>
    outcome === 'not-sent' ? detail : `${detail.split(';')[0] ?? ''}; the command may still be carried out`,
  'internal-error': () => 'The monitor failed on this command',
};

function commandNotFound({ fields: { command = '', errors = [] } }: Problem): string {
  const nearest = errors.flatMap(({ suggestions = [] }) => suggestions);
  const hint = nearest.length > 0 ? `; did you mean ${nearest.join(' or ')}?` : '';
  return `There is no command ${shown(command)}${hint}`;
}

/** Names members as QMP servers do: `a.b[0]`. */
function argumentFault({ pointer, message, suggestions = [] }: Fault): string {
  const path = jsonPointerSteps(pointer)
    .map((name, at) => (/^\d+$/.test(name) ? `[${name}]` : `${at === 0 ? '' : '.'}${name}`))
    .join('');
  const hint = suggestions.length > 0 ? `; did you mean ${suggestions.join(' or ')}?` : '';
  return `${path === '' ? 'The arguments' : `Argument '${path}'`}: ${message}${hint}`;
}

/** A client's name as an answer repeats it: short, and in whole characters. */
export function shown(name: string): string {
  return `'${Buffer.from(name.slice(0, longestShown)).toString()}'`;
}

const withoutFullStop = (text: string): string => text.replace(/\.$/, '');
