import { maxSocketPathBytes } from './listener-address.js';

/** What the placeholders of a pattern stand for in one path. */
export type Placeholders = Readonly<Record<string, string>>;

/** One step of a path: a fixed name, or names of a form. */
type Step = { readonly literal: string } | { readonly names: RegExp };

const placeholderName = /^[A-Za-z][A-Za-z0-9._-]{0,62}$/;
/** In one name of a path: each more makes matching a name of 255 bytes that much longer. */
const mostInOneName = 3;

/**
 * A path with placeholders, such as `/run/qemu/{tenant}/{id}.qmp`. Each stands for a part of one name: as little as makes
 * the name match, at least a character, never a `/`. The same placeholder twice stands for the same text.
 */
export class DiscoveryPattern {
  /** Names of the placeholders, each once, in order. */
  readonly placeholders: readonly string[];
  readonly #steps: readonly Step[];

  /** @param text one that has no {@link patternFaults} */
  constructor(readonly text: string) {
    this.placeholders = placeholdersOf(text);
    const names = text.split('/').slice(1);
    this.#steps = names.map((name) =>
      name.includes('{') ? { names: expressionFor(name, this.placeholders) } : { literal: name },
    );
  }

  /** The directory down to which the pattern is fixed text; undefined when all of it is. */
  get anchor(): string | undefined {
    const brace = this.text.indexOf('{');
    if (brace < 0) return undefined;
    return this.text.slice(0, this.text.lastIndexOf('/', brace)) || '/';
  }

  /** Steps below the root; the last one is the socket's. */
  get depth(): number {
    return this.#steps.length;
  }

  /** The fixed name at a depth, or undefined where names are looked for. */
  literalAt(depth: number): string | undefined {
    const step = this.#steps[depth];
    return step !== undefined && 'literal' in step ? step.literal : undefined;
  }

  /** What the placeholders stand for when this name is at that depth, those of the directories above included. */
  match(depth: number, name: string, above: Placeholders): Placeholders | undefined {
    const step = this.#steps[depth];
    if (step === undefined) return undefined;
    if ('literal' in step) return step.literal === name ? above : undefined;
    const found = step.names.exec(name)?.groups;
    if (found === undefined) return undefined;
    const values: Record<string, string> = { ...above };
    for (const [group, value] of Object.entries(found)) {
      const placeholder = this.placeholders[Number(group.slice(1))] ?? '';
      if (Object.hasOwn(values, placeholder) && values[placeholder] !== value) return undefined;
      values[placeholder] = value;
    }
    return values;
  }

  /** What the placeholders stand for in a whole path. */
  matchPath(path: string): Placeholders | undefined {
    const names = path.split('/').slice(1);
    if (names.length !== this.depth) return undefined;
    return names.reduce<Placeholders | undefined>(
      (values, name, depth) => values && this.match(depth, name, values),
      {},
    );
  }

  /**
   * The path with its placeholders filled in; undefined when that makes a `.` or `..` of a name, as a file named
   * `..-a.qmp` can: the path would lead elsewhere.
   */
  fill(values: Placeholders): string | undefined {
    const path = this.text.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => values[name] ?? '');
    return path.split('/').some((name) => name === '.' || name === '..') ? undefined : path;
  }
}

/** What is wrong with a pattern of QMP sockets: a line each. */
export function patternFaults(text: string): string[] {
  const faults = formFaults(text);
  if (faults.length === 0 && !placeholdersOf(text).includes('id'))
    faults.push('must contain {id}, which becomes the id of each VM');
  return faults;
}

/** What is wrong with the pattern of the agents' sockets: it may use only placeholders of the other pattern. */
export function agentPatternFaults(text: string, qmp: string): string[] {
  const known = placeholdersOf(qmp);
  const unknown = placeholdersOf(text).filter((name) => !known.includes(name));
  return [...formFaults(text), ...unknown.map((name) => `{${name}} is not in the pattern of the QMP sockets`)];
}

function formFaults(text: string): string[] {
  if (!text.startsWith('/')) return ['must be an absolute path such as /run/qemu/{id}.qmp'];
  const faults: string[] = [];
  const names = text.split('/').slice(1);
  if (names.some((name) => name === '' || name === '.' || name === '..'))
    faults.push('must not contain empty names, . or ..');
  if (text.includes('*')) faults.push('must not contain *; write a placeholder such as {name}');
  const rest = text.replaceAll(/\{[^{}]*\}/g, '');
  if (/[{}]/.test(rest)) faults.push('has an unbalanced brace');
  for (const placeholder of placeholdersOf(text))
    if (!placeholderName.test(placeholder))
      faults.push(`{${placeholder.slice(0, 70)}}: a placeholder is letters, digits and . _ -, the first a letter`);
  if (/\}\{/.test(text)) faults.push('must have something between two placeholders');
  if (names.some((name) => (name.match(/\{/g) ?? []).length > mostInOneName))
    faults.push(`must have at most ${mostInOneName} placeholders in one name of the path`);
  if (Buffer.byteLength(rest) > maxSocketPathBytes)
    faults.push(`is longer than the path of a socket can be (${maxSocketPathBytes} bytes)`);
  return faults;
}

/** The placeholder at index n of the list is group `pn`. */
function expressionFor(name: string, placeholders: readonly string[]): RegExp {
  const seen = new Set<string>();
  // Odd pieces are the names of placeholders.
  const pieces = name.split(/[{}]/).map((piece, at) => {
    if (at % 2 === 0) return piece.replaceAll(/[\\^$.*+?()[\]|]/g, '\\$&');
    const group = `p${placeholders.indexOf(piece)}`;
    if (seen.has(piece)) return `\\k<${group}>`;
    seen.add(piece);
    return `(?<${group}>[^/]+?)`;
  });
  return new RegExp(`^${pieces.join('')}$`, 's');
}

function placeholdersOf(text: string): string[] {
  return [...new Set([...text.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name))];
}
