import { nearestNames, readJson, type JsonDocument, type JsonMember } from '@qmp-gateway/qapi';
import { malformedJson } from '../problems/malformed-json.js';
import { Problem } from '../problems/problem.js';
import type { CommandRequest } from './command-request.js';

const messageMembers = ['execute', 'exec-oob', 'arguments', 'id'];

/** Reads a QMP message as a client of the monitor would write it. Its `id` is taken and ignored: HTTP needs none. */
export function readMessage(body: Buffer): Pick<CommandRequest, 'command' | 'arguments' | 'outOfBand'> {
  let document: JsonDocument;
  try {
    document = readJson(body);
  } catch (error) {
    throw malformedJson(error);
  }
  if (document.root.kind !== 'object') throw invalidMessage('', 'a QMP message is a JSON object');
  const members = new Map<string, JsonMember>(document.root.members.map((member) => [member.name, member]));
  for (const name of members.keys())
    if (!messageMembers.includes(name))
      throw invalidMessage(
        `/${name.slice(0, 100)}`,
        'is not a member of a QMP message',
        nearestNames(name, messageMembers),
      );
  const inBand = members.get('execute')?.value;
  const outOfBand = members.get('exec-oob')?.value;
  if (inBand !== undefined && outOfBand !== undefined) throw invalidMessage('/exec-oob', 'clashes with execute');
  const command = inBand ?? outOfBand;
  if (command?.kind !== 'string')
    throw invalidMessage('/execute', command === undefined ? 'missing' : 'must be the name of a command');
  const args = members.get('arguments')?.value;
  if (args !== undefined && args.kind !== 'object') throw invalidMessage('/arguments', 'must be an object');
  return {
    command: command.value,
    outOfBand: outOfBand !== undefined,
    arguments:
      args === undefined ? { kind: 'none' } : { kind: 'json', json: document.text.slice(args.start, args.end) },
  };
}

function invalidMessage(pointer: string, message: string, suggestions: readonly string[] = []): Problem {
  const error = { in: 'body', pointer, message, ...(suggestions.length > 0 ? { suggestions } : {}) } as const;
  return new Problem('invalid-request', `Not a QMP message: ${pointer} ${message}.`, { errors: [error] });
}
