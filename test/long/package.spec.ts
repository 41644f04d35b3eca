import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { monitorArguments, Scene } from '@qmp-gateway/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** An install asks a registry for what others have written. */
const installDeadlineMs = 240_000;
const published = [
  ...[
    'qapi-compiler',
    'qmp-gateway',
    'qmp-gateway-catalog',
    'qmp-gateway-cli',
    'qmp-gateway-client',
    'qmp-gateway-fleet-protocol',
  ],
  ...['qmp-gateway-qapi', 'qmp-gateway-qapi-openapi', 'qmp-gateway-qmp', 'qmp-gateway-unix-fds'],
];
const scene = new Scene();
let tarballs: string;
/** Tarballs as they unpack, by the name of the file without version. */
const unpacked = new Map<string, string>();

/** The environment of somebody at a shell: not that of the npm script that runs this test. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('npm_') && name !== 'INIT_CWD'),
);

async function runIn(directory: string, command: string, ...args: string[]): Promise<string> {
  const options = { cwd: directory, env: environment, maxBuffer: 2 ** 24 };
  return (await promisify(execFile)(command, args, options)).stdout;
}

/** The files of a folder, as paths from there. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** Not of one of the packages of others that a tarball brings along. */
const isOurs = (file: string): boolean => !/^node_modules\/(?!@qmp-gateway\/)/.test(file);

const manifestOf = (folder: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;

// In a copy, because while it is packed a package holds copies of others, and other tests run the gateway at the same time.
beforeAll(async () => {
  const copy = scene.directory();
  const needed = ['apps', 'libs', 'docs', 'scripts', 'package.json', 'package-lock.json', 'LICENSE'];
  for (const name of [...needed, 'tsconfig.json', 'tsconfig.base.json'])
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  const before = new Set(filesIn(path.join(copy, 'apps')));
  tarballs = path.join(copy, 'tarballs');
  mkdirSync(tarballs);
  await runIn(copy, 'npm', 'run', 'pack', '--', tarballs);
  for (const file of readdirSync(tarballs)) {
    const folder = path.join(scene.directory(), 'package');
    mkdirSync(folder);
    await runIn(folder, 'tar', 'xzf', path.join(tarballs, file), '--strip-components=1');
    unpacked.set(file.replace(/-\d.*$/, ''), folder);
  }
  // Nothing is left in the packages.
  const isBuilt = (file: string): boolean => /^[^/]+\/(?:dist|assets\/console)\//.test(file);
  expect(filesIn(path.join(copy, 'apps')).filter((file) => !before.has(file) && !isBuilt(file))).toEqual([]);
}, installDeadlineMs);
afterAll(() => scene.end());

describe('the tarballs', () => {
  it('are those of all packages that are published', () => {
    expect([...unpacked.keys()].sort()).toEqual(published);
  });

  it.each(published)('%s has what runs, its license and its sources, and no tests', (name) => {
    const folder = unpacked.get(name) ?? '';
    const files = filesIn(folder);
    expect(files.filter(isOurs).filter((file) => /\.spec\.|\.tsbuildinfo$|tsconfig/.test(file))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'package.json']));
    const { engines, license, type, bin, exports: entries, bundleDependencies = [] } = manifestOf(folder);
    expect({ engines, license, type }).toEqual({ engines: { node: '>=20.19' }, license: 'Apache-2.0', type: 'module' });
    const promised = JSON.stringify(bin ?? entries).match(/(?:\.\/)?(?:bin|dist)\/[^"]+/g) ?? [];
    expect(promised.length).toBeGreaterThan(0);
    expect(files).toEqual(expect.arrayContaining(promised.map((file) => path.normalize(file))));
    const bundled = files.flatMap(
      (file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(file)?.[1] ?? [],
    );
    expect(bundled).toEqual(expect.arrayContaining(bundleDependencies as string[]));
  });

  it('have the JSON Schema of the settings, as the docs have it', () => {
    const name = 'settings.schema.json';
    const packed = readFileSync(path.join(unpacked.get('qmp-gateway') ?? '', name), 'utf8');
    expect(packed).toBe(readFileSync(path.join(root, 'docs', name), 'utf8'));
  });

  it('qmp-gateway has the scripts and style sheets of /docs compressed as well', () => {
    const folder = unpacked.get('qmp-gateway') ?? '';
    const ofPage = /^(?:assets\/docs|node_modules\/swagger-ui-dist)\/.*\.(?:js|css)$/;
    const files = filesIn(folder).filter((file) => ofPage.test(file));
    expect(files.length).toBeGreaterThan(8);
    const bytesOf = (file: string) => readFileSync(path.join(folder, file));
    for (const file of files)
      expect([file, gunzipSync(bytesOf(`${file}.gz`)).equals(bytesOf(file))]).toEqual([file, true]);
  });

  it('qmp-gateway has the console, its scripts and style sheets compressed as well', () => {
    const folder = path.join(unpacked.get('qmp-gateway') ?? '', 'assets/console');
    const files = filesIn(folder);
    expect(files).toContain('index.html');
    const isLarge = (file: string): boolean => statSync(path.join(folder, file)).size > 4096;
    const compressible = files.filter((file) => /\.(?:js|css)$/.test(file) && isLarge(file));
    expect(compressible.length).toBeGreaterThan(8);
    expect(files).toEqual(expect.arrayContaining(compressible.map((file) => `${file}.gz`)));
  });

  it.each(published)('%s has no source map that leads nowhere', (name) => {
    const folder = unpacked.get(name) ?? '';
    const dangling = filesIn(folder)
      .filter(isOurs)
      .filter((file) => /\.(?:js|d\.ts)$/.test(file))
      .flatMap((file) => {
        const at = path.join(folder, file);
        const map = /^\/\/# sourceMappingURL=(.+)$/m.exec(readFileSync(at, 'utf8'))?.[1];
        if (map === undefined) return [];
        const mapFile = path.resolve(path.dirname(at), map);
        if (!existsSync(mapFile)) return [file];
        const { sources } = JSON.parse(readFileSync(mapFile, 'utf8')) as { sources: string[] };
        return sources.every((source) => existsSync(path.resolve(path.dirname(mapFile), source))) ? [] : [file];
      });
    expect(dangling).toEqual([]);
  });
});

describe('qmp-gateway, installed from its tarball in an empty directory', () => {
  let directory: string;
  let said: string;
  beforeAll(async () => {
    directory = scene.directory();
    const tarball = path.join(tarballs, readdirSync(tarballs).find((file) => /^qmp-gateway-\d/.test(file)) ?? '');
    // What it needs is in it.
    said = await runIn(directory, 'sh', '-c', `npm install --offline --no-audit --no-fund '${tarball}' 2>&1`);
  }, installDeadlineMs);

  it('is there without a warning, a registry, or a script of others, on every Node that it says', () => {
    expect(said).toMatch(/^\s*added 1 package in \S+\s*$/);
    const modules = path.join(directory, 'node_modules/qmp-gateway/node_modules');
    const manifests = filesIn(modules).filter((file) =>
      /^(?:(?:@[^/]+\/)?[^@/]+\/(?:node_modules\/)?)+package\.json$/.test(file),
    );
    expect(manifests.length).toBeGreaterThan(100);
    for (const file of manifests) {
      const { name, engines, scripts } = manifestOf(path.join(modules, path.dirname(file))) as {
        name?: string;
        engines?: { node?: string };
        scripts?: Record<string, string>;
      };
      expect([name, scripts?.['preinstall'], scripts?.['install'], scripts?.['postinstall']]).toEqual([
        name,
        undefined,
        undefined,
        undefined,
      ]);
      // No release asks for one that is newer than ours.
      for (const [, major = ''] of (engines?.node ?? '').matchAll(/^>=\s*v?(\d+)/g))
        expect([name, Number(major) <= 20]).toEqual([name, true]);
    }
  });

  it('says its version', async () => {
    const { version } = manifestOf(path.join(root, 'apps/gateway'));
    expect(await runIn(directory, 'npx', '--no-install', 'qmp-gateway', 'version')).toBe(`${String(version)}\n`);
  });

  it('serves the VMs whose sockets come, and drops those whose go', async () => {
    const vms = scene.directory();
    const arguments_ = ['serve', '--listen', '127.0.0.1:0', '--discover', `${vms}/{id}.qmp`];
    // A process group of its own, because npx passes no signals on.
    const npx = spawn('npx', ['--no-install', 'qmp-gateway', ...arguments_], {
      cwd: directory,
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const ended = once(npx, 'close');
    scene.keep(npx, async ({ pid = 0, exitCode }) => {
      if (exitCode === null) process.kill(-pid, 'SIGTERM');
      await ended;
    });
    let url = '';
    for await (const line of createInterface({ input: npx.stdout })) {
      url = /^qmp-gateway listening on (http:\S+)/.exec(line)?.[1] ?? '';
      break;
    }
    const token = readFileSync(path.join(directory, 'state/root.token'), 'utf8').trim();
    const get = (resource: string) => fetch(url + resource, { headers: { Authorization: `Bearer ${token}` } });
    const { cursor } = (await (await get('/v1/vms')).json()) as { cursor: string };
    /** Milliseconds from `begin` until an event of the VM says so. */
    const until = async (begin: Promise<unknown>, event: string, state?: string): Promise<number> => {
      await begin;
      const began = performance.now();
      for (let after = cursor; ;) {
        const page = await get(`/v1/events?vm=web-1&event=${event}&after=${after}&wait=30s&limit=1`);
        const { events, cursor: next } = (await page.json()) as {
          events: { data: { state?: string } }[];
          cursor: string;
        };
        expect(events).toHaveLength(1);
        if (events[0]?.data.state === state) return Math.round(performance.now() - began);
        after = next;
      }
    };
    const qemu = scene.qemu({ qmpSockets: 0, args: monitorArguments(path.join(vms, 'web-1.qmp'), 0) });
    const readyMs = await until(qemu, 'vm-changed', 'ready');
    const first = await get(`/v1/events?vm=web-1&after=${cursor}&limit=1`);
    const { events } = (await first.json()) as { events: { time: string }[] };
    const appeared = statSync(path.join(vms, 'web-1.qmp')).birthtimeMs;
    const foundMs = Math.round(Date.parse(events[0]?.time ?? '') - appeared);
    const status = await get('/v1/vms/web-1/qmp/query-status');
    expect(await status.json()).toMatchObject({ running: false });
    for (const page of ['/docs', '/openapi.json', '/asyncapi.json'])
      expect([page, (await get(page)).status]).toEqual([page, 200]);
    const quit = fetch(`${url}/v1/vms/web-1/qmp/quit`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
    });
    const goneMs = await until(quit, 'vm-removed');
    process.stdout.write(`${JSON.stringify({ foundMs, readyMs, goneMs })}\n`);
  });
});

describe('@qmp-gateway/client, unpacked', () => {
  it('can be imported where there is nothing else', async () => {
    const folder = unpacked.get('qmp-gateway-client') ?? '';
    const { GatewayClient } = (await import(path.join(folder, 'dist/index.js'))) as { GatewayClient: unknown };
    expect(GatewayClient).toBeTypeOf('function');
    const imported = filesIn(folder)
      .filter((file) => file.endsWith('.js'))
      .flatMap((file) => [...readFileSync(path.join(folder, file), 'utf8').matchAll(/ from '([^']+)'/g)])
      .map(([, specifier = '']) => specifier);
    expect(imported.filter((name) => builtinModules.includes(name) || !name.startsWith('.'))).toEqual([]);
  });
});
