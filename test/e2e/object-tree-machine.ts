import type { FakeAnswer, FakeCommand, Scene } from '@qmp-gateway/test-kit';
import { fakeMachine, type FakeMachine } from './fake-machine.js';

/** An object: its properties, its parts, and links to other objects by their path. */
export interface TreeObject {
  readonly type: string;
  readonly properties?: Record<string, unknown>;
  readonly children?: Readonly<Record<string, TreeObject>>;
  readonly links?: Readonly<Record<string, string>>;
}

const command = (name: string, argType: string) => ({
  name,
  'meta-type': 'command',
  'arg-type': argType,
  'ret-type': 'any',
});
const argumentsOf = (...names: string[]) => ({
  name: `${names.join('-')}-arg`,
  'meta-type': 'object',
  members: names.map((name) => ({ name, type: 'any' })),
});
/** What QEMU 11.1 tells of the commands for its object tree, with these types of secrets, and nothing else. */
const introspectionWith = (secretTypes: readonly string[]) =>
  JSON.stringify([
    { name: 'any', 'meta-type': 'builtin', 'json-type': 'value' },
    { name: 'none', 'meta-type': 'object', members: [] },
    ...[argumentsOf('path'), argumentsOf('paths'), argumentsOf('path', 'property')],
    ...[argumentsOf('path', 'property', 'value'), argumentsOf('command-line'), argumentsOf('id')],
    { name: 'ObjectType', 'meta-type': 'enum', values: ['secret', 'monitor-qmp', 'iothread', ...secretTypes] },
    {
      ...{ name: 'new-object', 'meta-type': 'object', members: [{ name: 'qom-type', type: 'ObjectType' }] },
      ...{ tag: 'qom-type', variants: secretTypes.map((type) => ({ case: type, type })) },
    },
    ...secretTypes.map((type) => ({
      ...{ name: type, 'meta-type': 'object' },
      members: ['format', 'keyid', 'iv', payloadOf(type)].map((name) => ({ name, type: 'any', default: null })),
    })),
    ...[command('query-status', 'none'), command('query-name', 'none'), command('query-qmp-schema', 'none')],
    ...[command('query-chardev', 'none'), command('qom-list', 'path-arg'), command('qom-list-get', 'paths-arg')],
    ...[command('qom-get', 'path-property-arg'), command('qom-set', 'path-property-value-arg')],
    ...[command('human-monitor-command', 'command-line-arg'), command('object-add', 'new-object')],
  ]);

const payloadOf = (type: string) => (type === 'secret_vault' ? 'payload' : `payload-of-${type}`);

/** A fake of QEMU 11.1 with this object tree; what it answers for it is what the real one was seen to. */
export async function objectTreeMachine(
  scene: Scene,
  root: TreeObject,
  chardevs: readonly string[],
  secretTypes: readonly string[] = ['secret_vault'],
): Promise<FakeMachine> {
  const machine = await fakeMachine(scene);
  const path = machine.endpoint.replace(/^unix:/, '');
  const tree = new ObjectTree(root);
  machine.fake
    .on('query-qmp-schema', () => ({ json: introspectionWith(secretTypes) }))
    .on('query-chardev', () => ({
      return: chardevs.map((label, at) => ({
        'frontend-open': true,
        filename: at === 0 ? `unix:${path},server=on` : `disconnected:unix:${path}.${at},server=on`,
        label,
      })),
    }))
    .on('qom-list', (received) => tree.answer(received, ({ path: at }) => tree.list(String(at))))
    .on('qom-get', (received) =>
      tree.answer(received, (args) => tree.get(String(args['path']), String(args['property']))),
    )
    .on('qom-set', (received) => tree.answer(received, (args) => tree.set(String(args['path']), args)))
    .on('qom-list-get', (received) =>
      tree.answer(received, ({ paths }) =>
        (paths as string[]).map((at) => ({
          properties: tree.list(at).map((entry) => ({ ...entry, value: tree.get(at, entry.name) })),
        })),
      ),
    )
    .on('human-monitor-command', () => ({ return: '' }))
    .on('object-add', () => ({ return: {} }));
  return machine;
}

class NotFound extends Error {}

/** Paths as QEMU resolves them: empty names are passed over; what does not start with a slash is looked for everywhere. */
class ObjectTree {
  constructor(private readonly root: TreeObject) {}

  answer(received: FakeCommand, ask: (args: Record<string, unknown>) => unknown): FakeAnswer {
    try {
      return { return: ask(received.arguments as Record<string, unknown>) };
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      return { error: { class: 'DeviceNotFound', desc: error.message } };
    }
  }

  list(path: string): { name: string; type: string }[] {
    const { properties = {}, children = {}, links = {} } = this.#find(path);
    return [
      { name: 'type', type: 'string' },
      ...Object.entries(children).map(([name, child]) => ({ name, type: `child<${child.type}>` })),
      ...Object.keys(links).map((name) => ({ name, type: 'link<object>' })),
      ...Object.entries(properties).map(([name, value]) => ({
        name,
        type: typeof value === 'string' ? 'string' : typeof value,
      })),
    ];
  }

  get(path: string, property: string): unknown {
    const { type, properties = {}, children = {}, links = {} } = this.#find(path);
    if (Object.hasOwn(properties, property)) return properties[property];
    if (property === 'type') return type;
    if (Object.hasOwn(links, property)) return links[property];
    if (Object.hasOwn(children, property)) return `${path}/${property}`;
    throw new NotFound(`Property '${type}.${property}' not found`);
  }

  set(path: string, { property, value }: Record<string, unknown>): object {
    const { properties = {} } = this.#find(path);
    properties[String(property)] = value;
    return {};
  }

  #find(path: string): TreeObject {
    const names = path.split('/').filter((name) => name !== '');
    const found = path.startsWith('/') ? this.#at(this.root, names) : this.#anywhere(this.root, names);
    if (found === undefined) throw new NotFound(`Device '${path}' not found`);
    return found;
  }

  #at(object: TreeObject, names: readonly string[]): TreeObject | undefined {
    const [name, ...rest] = names;
    if (name === undefined) return object;
    const { children = {}, links = {} } = object;
    const link = links[name];
    const next = children[name] ?? (link === undefined ? undefined : this.#find(link));
    return next === undefined ? undefined : this.#at(next, rest);
  }

  #anywhere(object: TreeObject, names: readonly string[]): TreeObject | undefined {
    if (names.length === 0) return undefined;
    const found = this.#at(object, names);
    if (found !== undefined) return found;
    for (const child of Object.values(object.children ?? {})) {
      const below = this.#anywhere(child, names);
      if (below !== undefined) return below;
    }
    return undefined;
  }
}
