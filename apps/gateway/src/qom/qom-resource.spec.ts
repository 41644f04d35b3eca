import { describe, expect, it } from 'vitest';
import { Principal } from '../access/principal.js';
import type { CommandAsker, CommandPath, CommandRequest } from '../commands/command-request.js';
import { RequestCommands } from '../commands/request-commands.js';
import { Problem } from '../problems/problem.js';
import { readQuery } from '../http/resource/read-shape.js';
import { shapeFaults } from '../http/resource/shape.js';
import { QomQuery } from './qom-query.js';
import { QomReader, type WithheldSecrets } from './qom-reader.js';
import { readResource } from './qom-resource.js';
import { QomTreeShape } from './qom-shapes.js';
import { renderTree } from './qom-tree.js';

/** Properties by object: type and value as JSON, or the reason it can't be read. */
type Objects = Record<string, Record<string, readonly [type: string, value?: string]>>;

const machine: Objects = {
  '/': { type: ['string', '"container"'], machine: ['child<q35>', '"/machine"'] },
  '/machine': {
    type: ['string', '"q35"'],
    wide: ['int', '18446744073709551615'],
    secret: ['str'],
    pin: ['irq', '{ "level": 1.50 }'],
    bus: ['link<bus>', '"/machine/pci"'],
    'irq[0]': ['child<irq>', '""'],
    pci: ['child<PCI>', '""'],
    net0: ['child<e1000e>', '""'],
  },
  '/machine/irq[0]': { type: ['string', '"irq"'] },
  '/machine/pci': { type: ['string', '"PCI"'] },
  '/machine/net0': { type: ['string', '"e1000e"'], mac: ['str', '"52:54:00:12:34:56"'], mem: ['child<irq>', '""'] },
  '/machine/net0/mem': { type: ['string', '"irq"'] },
};

/** A VM with these objects behind a command path. */
class FakeVm implements CommandPath {
  readonly sent: string[] = [];
  mostAtOnce = 0;
  /** What a command is answered with instead. */
  failing: (request: CommandRequest) => Problem | undefined = () => undefined;
  #open = 0;

  constructor(private readonly objects: Objects = machine) {}

  execute(request: CommandRequest, asker: CommandAsker): void {
    const { command, arguments: args } = request;
    const given = JSON.parse(args.kind === 'json' ? String(args.json) : '{}') as Record<string, unknown>;
    this.sent.push(`${command} ${Object.values(given).flat().join(' ')}`);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#open);
    setImmediate(() => {
      this.#open--;
      const trace = { epoch: 'run.1' };
      const problem = this.failing(request);
      const answered = problem ?? this.#answer(command, given);
      if (answered instanceof Problem) asker.answered({ ok: false, problem: answered, trace });
      else asker.answered({ ok: true, json: Buffer.from(answered), trace });
    });
  }

  #answer(command: string, { path, paths, property }: Record<string, unknown>): string | Problem {
    const all = (paths ?? [path]) as string[];
    const missing = all.find((each) => this.objects[each] === undefined);
    if (missing !== undefined) return refused('device-not-found', `Device '${missing}' not found`);
    const [first = '/'] = all;
    if (command === 'qom-get')
      return this.objects[first]?.[String(property)]?.[1] ?? refused('command-failed', 'not readable');
    const entries = (each: string, valued: boolean): string => {
      const texts = Object.entries(this.objects[each] ?? {}).map(([name, [type, value]]) => {
        const told = valued && value !== undefined ? `, "value": ${value}` : '';
        return `{"name": ${JSON.stringify(name)}, "type": ${JSON.stringify(type)}${told}}`;
      });
      return `[${texts.join(', ')}]`;
    };
    if (command === 'qom-list') return entries(first, false);
    return `[${all.map((each) => `{"properties": ${entries(each, true)}}`).join(', ')}]`;
  }
}

function refused(code: 'device-not-found' | 'command-failed', desc: string): Problem {
  return new Problem(code, desc, { outcome: 'refused', qmp: { class: 'GenericError', desc } });
}

interface Reading {
  readonly bulk?: boolean;
  readonly asked?: () => boolean;
  readonly secrets?: WithheldSecrets;
}

async function read(vm: FakeVm, path: string, query = '', { bulk = false, asked = () => true, secrets }: Reading = {}) {
  const principal = new Principal('token:a', 'a', { level: 'read', vms: ['*'] });
  const commands = new RequestCommands(vm, { principal, requestId: 'r', vm: 'web-1' });
  const view = readQuery(QomQuery, query).view();
  const reader = new QomReader(commands, { budget: view.budget, bulk, asked, secrets });
  const found = await readResource(path, view, reader);
  return typeof found === 'string' ? found : renderTree(found, commands.count, reader.cut);
}

/** A tree, which is always what the documents say of it. */
async function parsed(...args: Parameters<typeof read>): Promise<unknown> {
  const tree = JSON.parse(await read(...args)) as unknown;
  expect(shapeFaults(QomTreeShape, tree)).toEqual([]);
  return tree;
}

describe.each([{ bulk: false }, { bulk: true }])('with qom-list-get: $bulk', (how) => {
  it('tells an object with the very bytes of its values', async () => {
    const text = await read(new FakeVm(), '/machine', '', how);
    expect(text).toContain('"wide":{"type":"int","value":18446744073709551615}');
    expect(text).toContain('"pin":{"type":"irq","value":{ "level": 1.50 }}');
    expect(JSON.parse(text)).toMatchObject({
      ...{ path: '/machine', type: 'q35', complete: true },
      properties: { secret: { type: 'str', error: 'not readable' } },
      links: { bus: { type: 'link<bus>', target: '/machine/pci' } },
      children: { 'irq[0]': { type: 'irq' }, pci: { type: 'PCI' }, net0: { type: 'e1000e' } },
    });
  });

  it('tells a tree, its parts without values unless asked', async () => {
    const tree = await parsed(new FakeVm(), '/', 'depth=9', how);
    expect(tree).toMatchObject({
      children: {
        machine: { children: { net0: { properties: { mac: { type: 'str' } } }, 'irq[0]': { type: 'irq' } } },
      },
    });
    expect(JSON.stringify(tree)).not.toContain('52:54');
    expect(await read(new FakeVm(), '/', 'depth=9&values=all', how)).toContain('"value":"52:54:00:12:34:56"');
  });

  it('tells what fits, also what is else passed over, and what leads there', async () => {
    expect(await parsed(new FakeVm(), '/', 'type=irq', how)).toMatchObject({
      matches: expect.arrayContaining(['/machine/irq[0]', '/machine/net0/mem']) as unknown,
      children: {
        machine: { children: { net0: { children: { mem: { properties: { type: { type: 'string' } } } } } } },
      },
    });
    const macs = await parsed(new FakeVm(), '/', 'search=mac', how);
    expect(macs).toMatchObject({ matches: ['/machine', '/machine/net0/mac'] });
    expect(JSON.stringify(macs)).not.toContain('irq[0]');
  });

  it('keeps what is gone meanwhile as a part with the reason', async () => {
    const { '/machine/pci': gone, ...rest } = machine;
    expect(gone).toBeDefined();
    expect(await parsed(new FakeVm(rest), '/machine', 'depth=1', how)).toMatchObject({
      complete: true,
      children: { pci: { type: 'PCI', error: "Device '/machine/pci' not found" }, net0: { links: {} } },
    });
  });

  it('finds the property where there is no object', async () => {
    expect(await read(new FakeVm(), '/machine/pin', '', how)).toBe('{ "level": 1.50 }');
    await expect(read(new FakeVm(), '/machine/wid', '', how)).rejects.toMatchObject({
      code: 'device-not-found',
      fields: { errors: [{ in: 'path', pointer: '/path', suggestions: ['wide'] }] },
    });
    await expect(read(new FakeVm(), '/no/where', '', how)).rejects.toMatchObject({ code: 'device-not-found' });
  });
});

describe('for who may not read secrets', () => {
  const secrets = { isSecret: (name: string) => name === 'data' || name === 'payload', reason: 'needs host' };
  const part = (type: string): Objects[string] => ({ type: ['string', `"${type}"`], id: ['string', '"x"'] });
  const objects: Objects = {
    '/': {
      type: ['string', '"container"'],
      ...Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, ['child<x>']])),
    },
    '/a': part('iothread'),
    '/b': { ...part('vault'), payload: ['string', '"of-the-vault"'] },
    '/c': { ...part('vault'), payload: ['string', '""'] },
    '/d': { ...part('secret'), data: ['string', '"hunter2"'] },
  };
  const guarded = () => {
    const vm = new FakeVm({ ...objects, '/': { ...objects['/'], d: ['child<secret>'] } });
    vm.failing = ({ command, arguments: args }) => {
      const asked = args.kind === 'json' ? String(args.json) : '';
      const isSecret = command === 'qom-list-get' ? /\/[bd]/.test(asked) : /"(?:data|payload)"/.test(asked);
      return isSecret ? new Problem('forbidden', 'a secret', { outcome: 'refused' }) : undefined;
    };
    return vm;
  };

  it.each([false, true])('they are marked, and not asked for (bulk: %s)', async (bulk) => {
    const vm = guarded();
    const tree = await parsed(vm, '/', 'depth=1&values=all', { bulk, secrets });
    const withheld = { type: 'string', withheld: 'needs host' };
    const others = { id: { value: 'x' } };
    expect(tree).toMatchObject({
      complete: true,
      children: {
        a: { properties: others },
        b: { properties: { payload: withheld, ...others } },
        c: { properties: { payload: withheld, ...others } },
        d: { properties: { data: withheld, ...others } },
      },
    });
    expect(vm.sent.filter((command) => /qom-get .*(?:data|payload)/.test(command))).toEqual([]);
    // What is known to hold one stays out of a bulk, which would be refused.
    if (bulk) expect(vm.sent.filter((command) => /qom-list-get.*\/d/.test(command))).toEqual([]);
    expect(await parsed(guarded(), '/d', '', { bulk, secrets })).toMatchObject({ properties: { data: withheld } });
  });

  it('one alone is refused', async () => {
    for (const bulk of [false, true])
      await expect(read(guarded(), '/d/data', '', { bulk, secrets })).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('a list that no server should send', () => {
  it.each([false, true])('is told at its object, and costs the others nothing (bulk: %s)', async (bulk) => {
    const odd = { x: ['int\uffff', '1'] as const };
    const vm = new FakeVm({ ...machine, '/machine/pci': odd });
    expect(await parsed(vm, '/machine', 'depth=1', { bulk })).toMatchObject({
      children: {
        net0: { type: 'e1000e' },
        pci: { error: expect.stringMatching(/^The VM's list cannot be read: line 1/) },
      },
    });
    await expect(read(vm, '/machine/pci', '', { bulk })).rejects.toMatchObject({ code: 'command-failed' });
  });
});

describe('what a tree costs', () => {
  it('is not that of a list without end: the object says that it was not read', async () => {
    const many = Object.fromEntries(Array.from({ length: 80_000 }, (_, n) => [`p${n}`, ['int', '1'] as const]));
    const tree = await parsed(new FakeVm({ ...machine, '/machine/pci': many }), '/machine', 'depth=1');
    expect(tree).toMatchObject({
      children: {
        net0: { type: 'e1000e' },
        pci: { error: 'The list of the VM has over 2097152 bytes, which is more than the gateway reads.' },
      },
    });
  });

  it('is a command for a level where the VM can, and no more than four at once where not', async () => {
    const bulk = new FakeVm();
    await read(bulk, '/', 'depth=9&values=none', { bulk: true });
    expect(bulk.sent).toEqual(['qom-list-get /', 'qom-list-get /machine', 'qom-list-get /machine/pci /machine/net0']);
    const parts = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`part[${index}]`, ['child<device>', '""'] as const]),
    );
    const wide: Objects = { '/': parts };
    for (const name of Object.keys(parts)) wide[`/${name}`] = {};
    const single = new FakeVm(wide);
    await read(single, '/', 'depth=1');
    expect([single.sent.length, single.mostAtOnce]).toEqual([41, 4]);
  });

  it('stays within the budget, and says so', async () => {
    const vm = new FakeVm();
    expect(await parsed(vm, '/machine', 'depth=9&values=all&budget=4')).toMatchObject({
      ...{ complete: false, cut: 'commands', commands: 4 },
    });
    expect(vm.sent).toHaveLength(4);
  });

  it('ends at the deadline with what is there', async () => {
    const vm = new FakeVm();
    vm.failing = ({ command }) =>
      command === 'qom-get' ? new Problem('deadline-exceeded', 'late', { outcome: 'unknown' }) : undefined;
    expect(await parsed(vm, '/machine')).toMatchObject({ complete: false, cut: 'deadline', type: null });
  });

  it('ends when nobody waits for it, or a command fails for all', async () => {
    const left = new FakeVm();
    await read(left, '/machine', 'depth=9', { asked: () => false });
    expect(left.sent.length).toBeLessThan(10);
    const lost = new FakeVm();
    lost.failing = ({ command }) => (command === 'qom-get' ? new Problem('vm-unavailable', 'gone') : undefined);
    await expect(read(lost, '/machine')).rejects.toMatchObject({ code: 'vm-unavailable' });
    expect(lost.sent.length).toBeLessThanOrEqual(5);
  });
});
