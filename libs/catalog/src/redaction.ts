import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import type { ServerKind } from './command-class.js';
import { isKnownCommand } from './command-knowledge.js';
import { readTable } from './data-file.js';

const secrets = new Map<string, string[][]>();
for (const { kind, command, member } of readTable('secrets.tsv', ['kind', 'command', 'member'])) {
  const key = `${kind} ${command}`;
  secrets.set(key, [...(secrets.get(key) ?? []), member.split('.')]);
}

const open = new Map<string, string[][]>();
for (const { kind, command, member } of readTable('open-members.tsv', ['kind', 'command', 'member', 'reason'])) {
  const key = `${kind} ${command}`;
  open.set(key, [...(open.get(key) ?? []), member.split('.')]);
}

/** Members that are secret by their name, in any command and at any depth: properties of devices, URL drivers. */
const secretName = /pass(?:word|wd|phrase)|secret|token|cookie|credential/i;

/** The same of a word that others begin with (`keyboard`, `keyid`): only where it is one of its own (`api-key`, `accessKey`). */
const keyName = /(?:^|[-_.])key(?:[-_.](?:data|value|material))?$/i;
const camelKeyName = /[a-z0-9]Key$/;

/** Names the object that holds a secret (`key-secret`, `password-secret`), as QEMU calls such members throughout. */
const secretReference = /[a-z0-9]-secret$/;

function isSecretName(name: string): boolean {
  return (secretName.test(name) || keyName.test(name) || camelKeyName.test(name)) && !secretReference.test(name);
}

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
  return redactNode(args, text, { hidden: paths, open: openMembers(kind, command) });
}

/** Of the arguments of a command: what is secret, and what its name only makes look so. */
interface MemberPaths {
  readonly hidden: readonly (readonly string[])[];
  readonly open: readonly (readonly string[])[];
}

/** A value that is secret as a whole. */
const whole: MemberPaths = { hidden: [[]], open: [] };

function openMembers(kind: ServerKind, command: string): readonly (readonly string[])[] {
  return open.get(`${kind === 'storage-daemon' ? 'qemu' : kind} ${command}`) ?? [];
}

function mayHoldSecret(node: JsonNode): boolean {
  switch (node.kind) {
    case 'object':
      return node.members.some(({ name, value }) => isSecretName(name) || mayHoldSecret(value));
    case 'array':
      return node.items.some(mayHoldSecret);
    case 'string':
      return node.value.includes('://');
    default:
      return false;
  }
}

/** `paths` are those that start at `node`; the empty path is `node` itself. */
function redactNode(node: JsonNode, text: string, paths: MemberPaths): string {
  if (isWhole(paths.hidden)) return JSON.stringify(redactionMark);
  switch (node.kind) {
    case 'object': {
      let json = '';
      for (const { name, value } of node.members) {
        json += `${json === '' ? '' : ','}${JSON.stringify(name)}:${redactNode(value, text, below(paths, name))}`;
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

function isWhole(paths: readonly (readonly string[])[]): boolean {
  return paths.some((path) => path.length === 0);
}

/** Those of the paths that go through this member, from there on; all of it where its name says so. */
function below(paths: MemberPaths, name: string): MemberPaths {
  const inner = { hidden: pathsBelow(paths.hidden, name), open: pathsBelow(paths.open, name) };
  return isSecretName(name) && !isWhole(inner.open) ? whole : inner;
}

/** Nearly all commands have none. */
function pathsBelow(paths: readonly (readonly string[])[], name: string): readonly (readonly string[])[] {
  if (paths.length === 0) return paths;
  return paths.filter(([first]) => first === name).map((path) => path.slice(1));
}

/** Shorter ones are in every other sentence by chance, and no secrets worth the name. */
const shortestSecret = 4;

/**
 * One word of a language, which servers also write by themselves. Longer ones are no word that an error text would have.
 */
const plainWord = /^\p{Lu}?\p{Ll}{3,15}$/u;

/**
 * What a server says of a command, without the secrets that the command itself carried: error texts repeat arguments. A
 * secret that is a plain word is one only where the text quotes or assigns it; elsewhere it is the server's own word,
 * and to strike that out would tell the secret.
 *
 * @param argumentsJson the arguments as they were sent
 */
export function withoutSecrets(kind: ServerKind, command: string, argumentsJson: string, said: string): string {
  const secretTexts = new Set<string>();
  const paths = { hidden: redactedMembers(kind, command), open: openMembers(kind, command) };
  collectSecrets(readJson(argumentsJson).root, argumentsJson, paths, secretTexts);
  // The longest first: one may be part of another.
  const found = [...secretTexts].filter((secret) => secret.length >= shortestSecret && said.includes(secret));
  return found
    .sort((a, b) => b.length - a.length)
    .reduce(strikeOut, said)
    .replace(userInfo, `$1${redactionMark}@`);
}

function strikeOut(text: string, secret: string): string {
  if (!plainWord.test(secret)) return text.replaceAll(secret, redactionMark);
  if (text === secret) return redactionMark;
  // Letters only: nothing of it means anything in a pattern.
  return text.replaceAll(new RegExp(`(?<=["'\u0060=]|: ?)${secret}(?![\\p{L}\\p{N}])`, 'gu'), redactionMark);
}

/** As `redactNode` walks, but gathers what is hidden. */
function collectSecrets(node: JsonNode, text: string, paths: MemberPaths, into: Set<string>, hidden = false): void {
  const here = hidden || isWhole(paths.hidden);
  if (node.kind === 'object') {
    for (const { name, value } of node.members) collectSecrets(value, text, below(paths, name), into, here);
  } else if (node.kind === 'array') for (const item of node.items) collectSecrets(item, text, paths, into, here);
  else if (node.kind === 'string') {
    if (here) into.add(node.value);
    for (const [uri, scheme = ''] of node.value.matchAll(userInfo)) into.add(uri.slice(scheme.length, -1));
  } else if (here) into.add(text.slice(node.start, node.end));
}
