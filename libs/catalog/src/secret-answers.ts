import { readJson, type JsonNode } from '@qmp-gateway/qapi';
import { secretPropertyName } from './secret-properties.js';

/** Whether a property with this name is a secret: by the tables, and by what is known about a single VM. */
export type IsSecretName = (name: string) => boolean;

/**
 * Commands of a low class whose replies may contain a secret: general getters, whose arguments do not say what they
 * return. So their replies are checked.
 */
const searches: ReadonlyMap<string, (answer: Buffer, isSecret: IsSecretName) => string | undefined> = new Map([
  ['qom-list-get', inProperties],
  ['query-block', (answer) => inFileNames(answer.toString('latin1'))],
  ['query-named-block-nodes', (answer) => inFileNames(answer.toString('latin1'))],
  ['human-monitor-command', inHumanText],
]);

/** Whether the reply to this command may contain a secret. */
export function mayAnswerSecret(command: string): boolean {
  return searches.has(command);
}

/**
 * Describes the secret in a reply, without revealing it; undefined if there is none.
 *
 * @param answer the return value as the VM wrote it
 */
export function secretInAnswer(
  command: string,
  answer: Buffer,
  isSecret: IsSecretName = (name) => secretPropertyName.test(name),
): string | undefined {
  return searches.get(command)?.(answer, isSecret);
}

/** Names in a reply, including those of properties. In a value their quotes would be escaped. */
const names = /"name"\s*:\s*"((?:[^"\\]|\\.)*)"/g;

/**
 * Bound of a reply that names a secret; a caller can request so many objects that reading them all would delay others.
 */
const mostRead = 2 ** 20;

/** `qom-list-get`: a list of objects, each with `properties`. */
function inProperties(answer: Buffer, isSecret: IsSecretName): string | undefined {
  // Nearly all replies name none, and are not parsed.
  const named = [...answer.toString('latin1').matchAll(names)].some(
    ([, name = '']) => name.includes('\\') || isSecret(name),
  );
  if (!named) return undefined;
  if (answer.length > mostRead) return 'what may be a secret, among too much to tell';
  let root: JsonNode;
  try {
    ({ root } = readJson(answer));
  } catch {
    return 'what cannot be read';
  }
  const objects = root.kind === 'array' ? root.items : [];
  for (const object of objects) {
    const properties = memberOf(object, 'properties');
    for (const property of properties?.kind === 'array' ? properties.items : []) {
      const name = memberOf(property, 'name');
      if (name?.kind !== 'string' || !isSecret(name.value)) continue;
      if (isSet(memberOf(property, 'value'))) return `property '${name.value.slice(0, 64)}' of an object`;
    }
  }
  return undefined;
}

/** Most devices that could have a key have none; a number or a switch is not a secret. */
function isSet(value: JsonNode | undefined): boolean {
  if (value?.kind === 'string') return value.value !== '';
  return value?.kind === 'object' || value?.kind === 'array';
}

/** The output of the human monitor, as a JSON string. */
function inHumanText(answer: Buffer, isSecret: IsSecretName): string | undefined {
  let text: unknown;
  try {
    text = JSON.parse(answer.toString());
  } catch {
    return 'what cannot be read';
  }
  if (typeof text !== 'string') return undefined;
  return inDeviceTree(text, isSecret) ?? inFileNames(text);
}

/** `info qtree` has a line for each property: `    auth-key = "6b65…"`. */
function inDeviceTree(text: string, isSecret: IsSecretName): string | undefined {
  for (const line of text.split('\n')) {
    const at = line.indexOf(' = "');
    if (at < 0 || line.startsWith('""', at + 3)) continue;
    const name = line.slice(0, at).trim();
    if (isSecret(name)) return `property '${name.slice(0, 64)}' of a device`;
  }
  return undefined;
}

/** The part of a URL before its host. It contains no slash, so that the search never backtracks. */
const authority = /:\/\/([^/?#\s"@]*)@/g;
/** A member of a `json:` file name, however deep it is quoted. */
const secretOption = /"(?:proxy-)?(?:cookie|password|passwd|passphrase)\\*":/;
/** As in `rbd:pool/image:id=admin:key=…`. */
const keyOption = /:key=/;

/**
 * Image names as block nodes report them: with the password of a URL, and the options the image was opened with. Values
 * given by `password-secret`, `key-secret` and the like are not in them.
 */
function inFileNames(text: string): string | undefined {
  // In `iscsi:` URLs a percent sign separates user and password.
  for (const [, user = ''] of text.matchAll(authority))
    if (/[:%]/.test(user)) return 'a password in the URL of an image';
  if (secretOption.test(text)) return 'a password or cookie among the options of an image';
  return keyOption.test(text) ? 'a key among the options of an image' : undefined;
}

function memberOf(node: JsonNode, name: string): JsonNode | undefined {
  return node.kind === 'object' ? node.members.find((member) => member.name === name)?.value : undefined;
}
