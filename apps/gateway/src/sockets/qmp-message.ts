import { readJson, JsonSyntaxError, type JsonMember, type JsonNode, type JsonObject } from '@qmp-gateway/qapi';
import { onOneLine } from '../events/event-record.js';

/** A command as a QMP client sends it. */
export interface QmpCommand {
  /** JSON text as it came, on one line; undefined when there was none. */
  readonly id: string | undefined;
  readonly name: string;
  readonly outOfBand: boolean;
  /** JSON text of an object; undefined when there is none. */
  readonly argumentsJson: string | undefined;
  readonly arguments: JsonObject | undefined;
}

/** The answer to a message that is no command. `id` is undefined where it could not be read. */
export class QmpMessageError extends Error {
  constructor(
    readonly description: string,
    readonly id: string | undefined,
  ) {
    super(description);
  }
}

/** QEMU reads this deep. */
const maxDepth = 1024;

/** @throws {QmpMessageError} */
export function readQmpMessage(value: Buffer): QmpCommand {
  const { text, root } = readStrictJson(value);
  if (root.kind !== 'object') throw new QmpMessageError('A QMP message is a JSON object', undefined);
  const textOf = (node: JsonNode): string => text.slice(node.start, node.end);
  const members = new Map(root.members.map((member) => [member.name, member.value]));
  const idNode = members.get('id');
  const id = idNode === undefined ? undefined : onOneLine(textOf(idNode));
  const refuse = (description: string): never => {
    throw new QmpMessageError(description, id);
  };
  const unknown = root.members.find(isUnknown);
  if (unknown !== undefined) refuse(`A QMP message has no member '${unknown.name}'`);
  const execute = members.get('execute');
  const executeOutOfBand = members.get('exec-oob');
  if (execute !== undefined && executeOutOfBand !== undefined) refuse(`'execute' and 'exec-oob' exclude each other`);
  const name = execute ?? executeOutOfBand;
  if (name === undefined) return refuse(`A QMP message needs a member 'execute'`);
  if (name.kind !== 'string') return refuse('The name of a command is a string');
  const args = members.get('arguments');
  if (args !== undefined && args.kind !== 'object') return refuse(`'arguments' is an object`);
  return {
    id,
    name: name.value,
    outOfBand: executeOutOfBand !== undefined,
    argumentsJson: args === undefined ? undefined : textOf(args),
    arguments: args,
  };
}

const messageMembers = new Set(['execute', 'exec-oob', 'arguments', 'id']);

function isUnknown({ name }: JsonMember): boolean {
  return !messageMembers.has(name);
}

function readStrictJson(value: Buffer): { text: string; root: JsonNode } {
  try {
    return readJson(value, { maxDepth });
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new QmpMessageError(`This is not JSON: ${error.message}`, undefined);
    throw error;
  }
}
