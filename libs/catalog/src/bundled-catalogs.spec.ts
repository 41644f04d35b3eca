import { describe, expect, it } from 'vitest';
import { compileSchema } from '@qmp-gateway/qapi';
import {
  bundledCatalogs,
  coveringCatalog,
  catalogFormat,
  emptyArguments,
  loadBundledCatalog,
  modelOfNamedCommands,
  nearestCatalog,
  type Catalog,
  type ServerKind,
} from './index.js';

function ours(version: string, kind: ServerKind = 'qemu', packageStart?: string): Catalog {
  return {
    meta: {
      format: catalogFormat,
      name: 'ours',
      version,
      kind,
      greeting: { version, ...(packageStart !== undefined && { package: packageStart }) },
    },
    model: compileSchema('x.json', { read: () => `{ 'command': 'own' }` }).model,
    docs: new Map(),
  };
}

async function chosen(kind: ServerKind, version: string, packageName = '', user: Catalog[] = []): Promise<string> {
  const nearest = await nearestCatalog({ kind, version, package: packageName }, user);
  if (nearest === undefined) return 'none';
  const { meta } = nearest.catalog;
  return `${meta.name} ${meta.version}${nearest.exact ? ' exactly' : ''}`;
}

describe('coveringCatalog', () => {
  it.each([
    ['7.2.22', '7.2.0', true],
    ['7.2.0', '7.2.0', true],
    ['2.12.0', '7.2.0', true],
    ['8.0.0', '10.2.2', true],
    ['10.2.9', '10.2.2', true],
    ['11.0.0', '10.2.2', false],
  ])('chooses for an agent %s the one of %s', async (version, expected, covers) => {
    const chosen = await coveringCatalog({ kind: 'guest-agent', version, package: '' });
    expect(chosen).toMatchObject({ covers, exact: version === expected });
    expect(chosen?.catalog.meta.version).toBe(expected);
  });

  it("takes the user's own before a bundled one of the same release", async () => {
    const chosen = await coveringCatalog({ kind: 'guest-agent', version: '10.2.0', package: '' }, [
      ours('10.2.0', 'guest-agent'),
    ]);
    expect(chosen).toMatchObject({ exact: true, catalog: { meta: { name: 'ours' } } });
  });
});

describe('nearestCatalog', () => {
  it.each([
    ['10.2.2', 'qemu 10.2.2 exactly'],
    ['7.2.0', 'qemu 7.2.0 exactly'],
    ['7.2.22', 'qemu 7.2.0'],
    ['8.0.0', 'qemu 7.2.0'],
    ['11.1.3', 'qemu 10.2.2'],
    ['9.1.0', 'qemu 10.2.2'],
    ['2.5.0', 'qemu 7.2.0'],
    ['garbage', 'qemu 7.2.0'],
  ])('chooses for QEMU %s', async (version, expected) => {
    expect(await chosen('qemu', version, 'Debian 1:7.2+dfsg-7')).toBe(expected);
  });

  it('goes by kind', async () => {
    expect(await chosen('storage-daemon', '7.2.9')).toBe('qemu-storage-daemon 7.2.0');
    expect(await chosen('guest-agent', '10.2.2')).toBe('qemu-ga 10.2.2 exactly');
  });

  it.each([
    ['StratoVirt-2.5.0', 'stratovirt 2.5.0 exactly'],
    ['StratoVirt-2.4.0', 'stratovirt 2.4.0 exactly'],
    ['StratoVirt-2.3.0', 'stratovirt 2.4.0'],
    ['StratoVirt-3.0.0', 'stratovirt 2.5.0'],
    ['', 'stratovirt 2.4.0'],
  ])('tells StratoVirt by package %j, not by the version it poses with', async (packageName, expected) => {
    expect(await chosen('stratovirt', '5.0.1', packageName)).toBe(expected);
  });

  it('takes the user’s own before a bundled one as near, never before a nearer one', async () => {
    expect(await chosen('qemu', '10.2.2', '', [ours('10.2.2')])).toBe('ours 10.2.2 exactly');
    expect(await chosen('qemu', '10.2.2', '', [ours('10.2.1')])).toBe('qemu 10.2.2 exactly');
    expect(await chosen('qemu', '8.2.4', '', [ours('8.2.0')])).toBe('ours 8.2.0');
  });

  it('keeps a catalog of one vendor’s package from others', async () => {
    const vendor = ours('8.2.0', 'qemu', 'vendor-');
    expect(await chosen('qemu', '8.2.0', 'vendor-qemu-8.2.0-3', [vendor])).toBe('ours 8.2.0 exactly');
    expect(await chosen('qemu', '8.2.0', 'Debian', [vendor])).toBe('qemu 7.2.0');
  });

  it('reads a bundled catalog once', async () => {
    const [first] = bundledCatalogs();
    expect(loadBundledCatalog(first!)).toBe(loadBundledCatalog(first!));
    expect(await loadBundledCatalog(first!)).toBe(await loadBundledCatalog(first!));
  });

  it('names a file that is not there, and tries again next time', async () => {
    const missing = { file: 'gone.json' };
    await expect(loadBundledCatalog(missing)).rejects.toThrow('gone.json');
    await expect(loadBundledCatalog(missing)).rejects.toThrow('gone.json');
  });
});

describe('modelOfNamedCommands', () => {
  it('cuts a catalog to what the server names, and leaves open what the catalog does not know', async () => {
    const catalog = await loadBundledCatalog({ file: 'stratovirt-2.5.json' });
    const { commands, events } = modelOfNamedCommands(catalog, ['query-status', 'from-the-future']);
    expect([...commands.keys()]).toEqual(['query-status', 'from-the-future']);
    expect(commands.get('query-status')).toBe(catalog.model.commands.get('query-status'));
    expect(commands.get('from-the-future')).toMatchObject({
      gen: false,
      arguments: { members: [] },
      returns: { name: 'any' },
    });
    expect(events.has('STOP')).toBe(true);
  });

  it('reads the identifiers StratoVirt 2.4 answers with', async () => {
    const catalog = await loadBundledCatalog({ file: 'stratovirt-2.4.json' });
    const reported = ['query_status', 'chardev_add', 'list_type', 'cancel_migrate', 'device_add', 'qom_get'];
    expect([...modelOfNamedCommands(catalog, reported).commands.keys()]).toEqual([
      'query-status',
      'chardev-add',
      'qom-list-types',
      'migrate_cancel',
      'device_add',
      'qom-get',
    ]);
  });

  it('tells where StratoVirt is particular about absent arguments', () => {
    expect(emptyArguments('stratovirt', 'query-workloads')).toBe('required');
    expect(emptyArguments('stratovirt', 'query-ohui-status')).toBe('forbidden');
    expect(emptyArguments('stratovirt', 'stop')).toBe('optional');
    expect(emptyArguments('qemu', 'query-workloads')).toBe('needless');
  });
});
