import { readJson, JsonSyntaxError, type JsonMember, type JsonNode, type JsonObject } from '@qmp-gateway/qapi';
import { onOneLine } from '../events/event-record.js';
import { genericError, inputError, shown, type QmpError } from './monitor-errors.js';
import { StrayByte, type QmpInputValue } from './qmp-input.js';

/** A command as a QMP client sends it. */
export interface QmpCommand {
  /** JSON text as received, on one line; undefined if there was none. */
  readonly id: string | undefined;
  readonly name: string;
  readonly outOfBand: boolean;
  /** JSON text of an object; undefined if there is none. */
  readonly argumentsJson: string | undefined;
  readonly arguments: JsonObject | undefined;
}

/** The answer to a message that is not a command. `id` is undefined where it could not be read. */
export interface QmpRefusal {
  readonly id: string | undefined;
  readonly refusal: QmpError;
}

/** The nesting that QEMU reads. */
const maxDepth = 1024;
const openBrace = 0x7b;

export function readQmpMessage(value: QmpInputValue): QmpCommand | QmpRefusal {
  if (value instanceof StrayByte) return { id: undefined, refusal: inputError(value) };
  if (value[0] !== openBrace) return { id: undefined, refusal: genericError('A QMP message is a JSON object') };
  try {
    const { text, root } = readJson(value, { maxDepth });
    return readCommand(text, root.kind === 'object' ? root.members : []);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { id: undefined, refusal: inputError(error) };
    throw error;
  }
}

const messageMembers = new Set(['execute', 'exec-oob', 'arguments', 'id']);

function readCommand(text: string, members: readonly JsonMember[]): QmpCommand | QmpRefusal {
  const textOf = (node: JsonNode | undefined): string | undefined => node && text.slice(node.start, node.end);
  const valueOf = (wanted: string): JsonNode | undefined => members.find(({ name }) => name === wanted)?.value;
  const idText = textOf(valueOf('id'));
  const id = idText === undefined ? undefined : onOneLine(idText);
  const refuse = (desc: string): QmpRefusal => ({ id, refusal: genericError(desc) });
  const unknown = members.find(({ name }) => !messageMembers.has(name));
  if (unknown !== undefined) return refuse(`A QMP message has no member ${shown(unknown.name)}`);
  const execute = valueOf('execute');
  const executeOutOfBand = valueOf('exec-oob');
  if (execute !== undefined && executeOutOfBand !== undefined)
    return refuse(`'execute' and 'exec-oob' exclude each other`);
  const name = execute ?? executeOutOfBand;
  if (name === undefined) return refuse(`A QMP message needs a member 'execute'`);
  if (name.kind !== 'string') return refuse('The name of a command is a string');
  const args = valueOf('arguments');
  if (args !== undefined && args.kind !== 'object') return refuse(`'arguments' is an object`);
  return {
    id,
    name: name.value,
    outOfBand: executeOutOfBand !== undefined,
    argumentsJson: textOf(args),
    arguments: args,
  };
}
