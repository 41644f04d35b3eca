import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import type { ServerKind } from './command-class.js';
import { isKnownCommand } from './command-knowledge.js';
import { readTable } from './data-file.js';

const secrets = new Map<string, string[][]>();
for (const { kind, command, member } of readTable('secrets.tsv', ['kind', 'command', 'member'])) {
  const key = `${kind} ${command}`;
  secrets.set(key, [...(secrets.get(key) ?? []), member.split('.')]);
}

/** Members that are secret by their name, in any command and at any depth: properties of devices, URL drivers. */
const secretName = /pass(?:word|wd|phrase)|secret|token|cookie|credential|key/i;

/** Credentials inside a URI: `scheme://user:password@host`. */
const userInfo = /([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^/?#\s@]*@/g;

/** What stands in place of a secret. */
export const redactionMark = '[redacted]';

/** Schema paths (member names from the arguments down) of what is secret in a command's arguments. */
export function redactedMembers(kind: ServerKind, command: string): readonly (readonly string[])[] {
  return secrets.get(`${kind === 'storage-daemon' ? 'qemu' : kind} ${command}`) ?? [];
}

/**
 * Arguments as they may be written to a log or the audit trail: secrets by schema path, by name and in URIs replaced.
 *
 * @param args the arguments as read from `text`
 * @returns JSON text, or undefined when nothing of the arguments may be shown (a command we do not know, a line of
 *   the human monitor): log a hash then
 */
export function redactedArguments(kind: ServerKind, command: string, args: JsonNode, text: string): string | undefined {
  if (!isKnownCommand(kind, command) || command === 'human-monitor-command') return undefined;
  const paths = redactedMembers(kind, command);
  // Most arguments hold nothing secret and are shown as they came.
  if (paths.length === 0 && !mayHoldSecret(args)) return text.slice(args.start, args.end);
  return redactNode(args, text, paths);
}

function mayHoldSecret(node: JsonNode): boolean {
  switch (node.kind) {
    case 'object':
      return node.members.some(({ name, value }) => secretName.test(name) || mayHoldSecret(value));
    case 'array':
      return node.items.some(mayHoldSecret);
    case 'string':
      return node.value.includes('://');
    default:
      return false;
  }
}

/** `paths` are those that start at `node`; the empty path is `node` itself. */
function redactNode(node: JsonNode, text: string, paths: readonly (readonly string[])[]): string {
  if (paths.some((path) => path.length === 0)) return JSON.stringify(redactionMark);
  switch (node.kind) {
    case 'object': {
      let json = '';
      for (const { name, value } of node.members) {
        const hidden = secretName.test(name) ? [[]] : pathsBelow(paths, name);
        json += `${json === '' ? '' : ','}${JSON.stringify(name)}:${redactNode(value, text, hidden)}`;
      }
      return `{${json}}`;
    }
    case 'array':
      return `[${node.items.map((item) => redactNode(item, text, paths)).join(',')}]`;
    case 'string':
      return JSON.stringify(
        node.value.includes('://') ? node.value.replace(userInfo, `$1${redactionMark}@`) : node.value,
      );
    default:
      return text.slice(node.start, node.end);
  }
}

/** Those of the paths that go through this member, from there on. Nearly all commands have none. */
function pathsBelow(paths: readonly (readonly string[])[], name: string): readonly (readonly string[])[] {
  if (paths.length === 0) return paths;
  return paths.filter(([first]) => first === name).map((path) => path.slice(1));
}

/** Shorter ones are in every other sentence by chance, and no secrets worth the name. */
const shortestSecret = 4;

/**
 * What a server says of a command, without the secrets that the command itself carried: error texts repeat arguments.
 *
 * @param argumentsJson the arguments as they were sent
 */
export function withoutSecrets(kind: ServerKind, command: string, argumentsJson: string, said: string): string {
  const secretTexts = new Set<string>();
  collectSecrets(readJson(argumentsJson).root, argumentsJson, redactedMembers(kind, command), secretTexts);
  // The longest first: one may be part of another.
  const found = [...secretTexts].filter((secret) => secret.length >= shortestSecret && said.includes(secret));
  return found
    .sort((a, b) => b.length - a.length)
    .reduce((text, secret) => text.replaceAll(secret, redactionMark), said)
    .replace(userInfo, `$1${redactionMark}@`);
}

/** As `redactNode` walks, but gathers what is hidden. */
function collectSecrets(
  node: JsonNode,
  text: string,
  paths: readonly (readonly string[])[],
  into: Set<string>,
  hidden = false,
): void {
  const here = hidden || paths.some((path) => path.length === 0);
  if (node.kind === 'object') {
    for (const { name, value } of node.members) {
      collectSecrets(value, text, pathsBelow(paths, name), into, here || secretName.test(name));
    }
  } else if (node.kind === 'array') for (const item of node.items) collectSecrets(item, text, paths, into, here);
  else if (node.kind === 'string') {
    if (here) into.add(node.value);
    for (const [uri, scheme = ''] of node.value.matchAll(userInfo)) into.add(uri.slice(scheme.length, -1));
  } else if (here) into.add(text.slice(node.start, node.end));
}
