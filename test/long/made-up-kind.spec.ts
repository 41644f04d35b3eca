/** What a new kind of server takes: its row, its data, and a dialect only if it speaks one of its own. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { GatewayScene, run } from '../e2e/gateway-scene.js';
import { exchange } from '../e2e/http-exchange.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const buildDeadlineMs = 300_000;
const ours = '@qmp-gateway';

const row = `
  'made-up': {
    ...qemu,
    title: 'Made up',
    product: 'made-up',
    family: 'made-up',
    mark: { has: [], lacks: ['query-made-up'] },
  },
`;

const data = `command\tclass\tdeadline\treason\tsummary\tnote
query-status\tread\t\trun state\tState of what was made up\t
query-name\tconfigure\t\ta rule of its own\tName of what was made up\t
`;

const scene = new GatewayScene();
afterEach(() => scene.end());

/** The sources with packages of their own: those of others are borrowed, ours are the copies. */
function copyOfSources(): string {
  const copy = scene.directory();
  for (const name of ['apps', 'libs', 'package.json', 'tsconfig.json', 'tsconfig.base.json'])
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true, preserveTimestamps: true });
  const modules = path.join(copy, 'node_modules');
  mkdirSync(path.join(modules, ours), { recursive: true });
  for (const name of readdirSync(path.join(root, 'node_modules')))
    if (name !== ours && !name.startsWith('.'))
      symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  for (const name of readdirSync(path.join(copy, 'libs')))
    symlinkSync(path.join(copy, 'libs', name), path.join(modules, ours, name));
  return copy;
}

it('is a row of the table and a file of data', { timeout: buildDeadlineMs }, async () => {
  const copy = copyOfSources();
  const table = path.join(copy, 'libs/catalog/src/server-kinds.ts');
  const end = '} as const satisfies Record<string, ServerKindRow>;';
  const rows = readFileSync(table, 'utf8').split(end);
  expect(rows).toHaveLength(2);
  writeFileSync(table, rows.join(row + end));
  writeFileSync(path.join(copy, 'libs/catalog/data/commands-made-up.tsv'), data);
  await promisify(execFile)(
    process.execPath,
    [path.join(root, 'node_modules/typescript/bin/tsc'), '-b', 'apps/gateway'],
    {
      cwd: copy,
    },
  );

  const { socket } = await scene.qemu();
  const gateway = await scene.gateway({
    launcher: path.join(copy, 'apps/gateway/bin/qmp-gateway.js'),
    settings: { vms: { own: { endpoint: `unix:${socket}`, kind: 'made-up' } } },
  });
  expect(await gateway.vmBecomes('own', 'ready')).toMatchObject({ kind: 'made-up' });
  const schema = (await exchange(gateway, '/v1/vms/own/schema')).json() as { commands: { name: string }[] };
  expect(schema.commands.find(({ name }) => name === 'query-name')).toMatchObject({
    ...{ class: 'configure', summary: 'Name of what was made up' },
  });
  expect((await run(gateway, 'own', 'query-status')).status).toBe(200);
  expect((await exchange(gateway, '/openapi.json')).text).toContain('"made-up"');
  // Its own data decides, for all others that of their kind does.
  const other = (await exchange(gateway, '/v1/vms/odd', { method: 'PUT', body: '{"endpoint":"unix:/x","kind":"odd"}' }))
    .text;
  expect(other).toContain('made-up');
});
