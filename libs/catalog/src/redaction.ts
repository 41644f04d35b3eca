import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import { serverKinds, type ServerKind } from './server-kinds.js';
import { isKnownCommand } from './command-knowledge.js';
import { readTable } from './data-file.js';

/** Member paths by family of servers and command: this is asked for every command that runs. */
type MembersOf = Map<string, Map<string, string[][]>>;

function membersOf(
  rows: Iterable<{ readonly kind: string; readonly command: string; readonly member: string }>,
): MembersOf {
  const members: MembersOf = new Map();
  for (const { kind, command, member } of rows) {
    const ofKind = members.get(kind) ?? new Map<string, string[][]>();
    members.set(kind, ofKind.set(command, [...(ofKind.get(command) ?? []), member.split('.')]));
  }
  return members;
}

const secrets = membersOf(readTable('secrets.tsv', ['kind', 'command', 'member']));
const open = membersOf(readTable('open-members.tsv', ['kind', 'command', 'member', 'reason']));
const noPaths: readonly (readonly string[])[] = [];

/** Members that are secret by their name, in any command and at any depth: properties of devices, URL drivers. */
const secretName = /pass(?:word|wd|phrase)|secret|token|cookie|credential/i;

/**
 * The same for words that others begin with (`keyboard`, `keyid`): only as a word of their own (`api-key`,
 * `accessKey`).
 */
const keyName = /(?:^|[-_.])key(?:[-_.](?:data|value|material))?$/i;
const camelKeyName = /[a-z0-9]Key$/;

/** Members that name the object with the secret (`key-secret`, `password-secret`), as QEMU calls them throughout. */
const secretReference = /[a-z0-9]-secret$/;

function isSecretName(name: string): boolean {
  return (secretName.test(name) || keyName.test(name) || camelKeyName.test(name)) && !secretReference.test(name);
}

/** Credentials inside a URI: `scheme://user:password@host`. */
const userInfo = /([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^/?#\s@]*@/g;

/** The replacement for a secret. */
export const redactionMark = '[redacted]';

/** Schema paths (member names from the arguments down) of secrets in a command's arguments. */
export function redactedMembers(kind: ServerKind, command: string): readonly (readonly string[])[] {
  return secrets.get(serverKinds[kind].family)?.get(command) ?? noPaths;
}

/**
 * Arguments for the log or the audit log: with secrets replaced, by schema path, by name and in URIs.
 *
 * @param args the arguments as parsed from `text`
 * @returns JSON text, or undefined if nothing of the arguments may be shown (a command in no table, a line of the human
 * monitor): log a hash then
 */
export function redactedArguments(kind: ServerKind, command: string, args: JsonNode, text: string): string | undefined {
  if (!isKnownCommand(kind, command) || command === 'human-monitor-command') return undefined;
  const paths = redactedMembers(kind, command);
  // Most arguments contain no secret and are shown unchanged.
  if (paths.length === 0 && !mayHoldSecret(args)) return text.slice(args.start, args.end);
  return redactNode(args, text, { hidden: paths, open: openMembers(kind, command) });
}

/** For the arguments of a command: what is secret, and what only looks so by its name. */
interface MemberPaths {
  readonly hidden: readonly (readonly string[])[];
  readonly open: readonly (readonly string[])[];
}

/** A value that is secret as a whole. */
const whole: MemberPaths = { hidden: [[]], open: [] };

function openMembers(kind: ServerKind, command: string): readonly (readonly string[])[] {
  return open.get(serverKinds[kind].family)?.get(command) ?? noPaths;
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

/** `paths` start at `node`; the empty path is `node` itself. */
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

/** The paths that lead through this member, from there on; all of it if its name says so. */
function below(paths: MemberPaths, name: string): MemberPaths {
  const inner = { hidden: pathsBelow(paths.hidden, name), open: pathsBelow(paths.open, name) };
  return isSecretName(name) && !isWhole(inner.open) ? whole : inner;
}

/** Nearly all commands have no paths. */
function pathsBelow(paths: readonly (readonly string[])[], name: string): readonly (readonly string[])[] {
  if (paths.length === 0) return paths;
  return paths.filter(([first]) => first === name).map((path) => path.slice(1));
}

/** Shorter ones occur in many sentences by chance, and are not real secrets. */
const shortestSecret = 4;

/** A plain word, which servers also write by themselves. Longer ones do not occur as words in error texts. */
const plainWord = /^\p{Lu}?\p{Ll}{3,15}$/u;

/**
 * A server's text about a command, without the secrets in the command's arguments: error texts repeat arguments. A
 * secret that is a plain word is removed only where the text quotes or assigns it; elsewhere it is the server's own
 * word, and removing it would reveal the secret.
 *
 * @param argumentsJson the arguments as sent
 */
export function withoutSecrets(kind: ServerKind, command: string, argumentsJson: string, said: string): string {
  const found: FoundSecrets = { text: argumentsJson, secrets: new Set() };
  const paths = { hidden: redactedMembers(kind, command), open: openMembers(kind, command) };
  collectSecrets(readJson(argumentsJson).root, paths, found);
  // The longest first: one may be part of another.
  const told = [...found.secrets].filter((secret) => secret.length >= shortestSecret && said.includes(secret));
  return told
    .sort((a, b) => b.length - a.length)
    .reduce(strikeOut, said)
    .replace(userInfo, `$1${redactionMark}@`);
}

function strikeOut(text: string, secret: string): string {
  if (!plainWord.test(secret)) return text.replaceAll(secret, redactionMark);
  if (text === secret) return redactionMark;
  // Letters only, so there is nothing to escape in a pattern.
  return text.replaceAll(new RegExp(`(?<=["'\u0060=]|: ?)${secret}(?![\\p{L}\\p{N}])`, 'gu'), redactionMark);
}

/** What is secret in a text. */
interface FoundSecrets {
  readonly text: string;
  readonly secrets: Set<string>;
}

/** Walks like `redactNode`, but collects what is hidden. */
function collectSecrets(node: JsonNode, paths: MemberPaths, into: FoundSecrets, hidden = false): void {
  const here = hidden || isWhole(paths.hidden);
  if (node.kind === 'object') {
    for (const { name, value } of node.members) collectSecrets(value, below(paths, name), into, here);
  } else if (node.kind === 'array') for (const item of node.items) collectSecrets(item, paths, into, here);
  else if (node.kind === 'string') {
    if (here) into.secrets.add(node.value);
    for (const [uri, scheme = ''] of node.value.matchAll(userInfo)) into.secrets.add(uri.slice(scheme.length, -1));
  } else if (here) into.secrets.add(into.text.slice(node.start, node.end));
}
