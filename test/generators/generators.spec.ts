/**
 * Public generators make clients of the documents in `openapi/generators`; each client compiles, and calls a live VM.
 * The recipes are those of `docs/clients.md` and of `recipes/`. Where a toolchain or a registry is not to be had, the
 * table at the end says so.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import type { OpenApiDocument } from '@qmp-gateway/qapi-openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from '../e2e/gateway-process.js';
import { GatewayScene, registerVm, run } from '../e2e/gateway-scene.js';
import { cutDocument } from './cut-document.js';
import { recipeOf, type Recipe } from './recipe.js';

const clients = 'docs/clients.md';
const others = 'test/generators/recipes/openapi-generator.md';
const recipes = [
  recipeOf(clients, 'TypeScript', ['npm', 'npx']),
  recipeOf('test/generators/recipes/openapi-typescript.md', 'openapi-typescript', ['npm', 'npx']),
  recipeOf(clients, 'Python', ['python3']),
  recipeOf(clients, 'Go', ['go']),
  recipeOf(clients, 'Java', ['java', 'javac', 'mvn']),
  recipeOf(others, 'openapi-generator for Python', ['java', 'mvn', 'python3']),
  recipeOf(others, 'openapi-generator for Go', ['java', 'mvn', 'go']),
];

/** What these tools make of the whole document does not compile; `docs/clients.md` says why. */
const ofCutOnly = new Set(['Java', 'openapi-generator for Go']);

const document = JSON.parse(
  readFileSync(new URL('../../openapi/generators/gateway.json', import.meta.url), 'utf8'),
) as OpenApiDocument;
const tenCommands = [
  ...['query-status', 'query-block', 'query-named-block-nodes', 'query-chardev', 'qom-list', 'qom-get'],
  ...['blockdev-add', 'blockdev-del', 'device_add', 'block-set-write-threshold'],
];
const documents = { cut: cutDocument(document, tenCommands), whole: document };

const scene = new GatewayScene();
let gateway: GatewayProcess;
const rows: string[] = [];

beforeAll(async () => {
  gateway = await scene.gateway();
});
afterAll(async () => {
  process.stdout.write(`\n${rows.join('\n')}\n`);
  await scene.end();
});

/** What a program is told, by variables. */
interface Surroundings {
  readonly VM: string;
  readonly IMAGE: string;
}

/** A VM with a disk of 16 GiB, and an image beside it. */
async function freshVm(): Promise<Surroundings> {
  const directory = scene.directory();
  const [image, disk] = ['image.qcow2', 'disk.qcow2'].map((name) => path.join(directory, name)) as [string, string];
  for (const file of [image, disk]) await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', file, '16G']);
  const node = `driver=qcow2,node-name=disk0,file.driver=file,file.filename=${disk}`;
  const { socket } = await scene.qemu({
    machine: 'pc',
    args: ['-blockdev', node, '-device', 'virtio-blk-pci,drive=disk0,id=vda'],
  });
  return { VM: await registerVm(gateway, `unix:${socket}`), IMAGE: image };
}

function isThere(command: string): boolean {
  return spawnSync('which', [command], { stdio: 'ignore' }).status === 0;
}

/** Ends at the first command that fails. @throws with what it printed */
async function shell(script: string, cwd: string, surroundings?: Surroundings): Promise<string> {
  const env = { ...process.env, GW: gateway.url, TOKEN: gateway.token, ...surroundings };
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd,
    env,
    maxBuffer: 2 ** 28,
  });
  return stripVTControlCharacters(stdout);
}

/** What tools print when a registry does not answer. */
const noRegistry =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|no such host|dial tcp|Could not (?:transfer|resolve)|Could not find a version|Temporary failure in name resolution|failed to download|E404|Unknown host/i;

/** @returns why it cannot be tried here; else all of it went well */
async function follow(
  { needs, make, program, run: start }: Recipe,
  text: string,
  cwd: string,
): Promise<string | undefined> {
  const missing = needs.filter((command) => !isThere(command));
  if (missing.length > 0) return `no ${missing.join(', ')}`;
  writeFileSync(path.join(cwd, 'gateway.json'), text);
  try {
    await shell(make, cwd);
  } catch (error) {
    if (noRegistry.test(String((error as { stderr?: string }).stderr))) return 'its packages are not to be had';
    throw error;
  }
  const file = path.join(cwd, program.file);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, program.text);
  const vm = await freshVm();
  expect(await shell(start, cwd, vm)).toBe('prelaunch disk0 true 6442450944 command-failed\n');
  expect(await namesIn(vm, 'qom-list', '{"path":"/machine/peripheral"}')).toContain('rng0');
  expect(await namesIn(vm, 'query-named-block-nodes')).toContain('scratch');
  return undefined;
}

/** What the VM itself says that it has. */
async function namesIn({ VM }: Surroundings, command: string, args?: string): Promise<(string | undefined)[]> {
  const entries = (await run(gateway, VM, command, args)).json() as unknown as Record<string, string>[];
  return entries.map((entry) => entry['name'] ?? entry['node-name']);
}

async function tried(recipe: Recipe, extent: keyof typeof documents): Promise<void> {
  const began = Date.now();
  const why = await follow(recipe, JSON.stringify(documents[extent], null, 2), scene.directory());
  const seconds = Math.round((Date.now() - began) / 1000);
  rows.push(`${recipe.title}, ${extent}: ${why === undefined ? `works (${seconds} s)` : `not tried: ${why}`}`);
}

describe.each([
  ['cut', recipes],
  ['whole', recipes.filter(({ title }) => !ofCutOnly.has(title))],
] as const)('of the %s document', (extent, followed) => {
  it.each(followed)('$title makes a client that compiles and calls a live VM', (recipe) => tried(recipe, extent));
});

it('Rust calls a live VM without a generator', () => tried(recipeOf(clients, 'Rust', ['cargo']), 'cut'));
