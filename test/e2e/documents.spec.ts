import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { agentBecomes, startGuestAgent } from './agent-scene.js';
import { blocksOf, isShell, pages, root, scriptOf, type Block } from './documented-commands.js';
import { GatewayScene, run } from './gateway-scene.js';

/**
 * Blocks that are not run here, by the key in their info string: the test that takes them from their page and runs them, the test that
 * does the same without the page, or why nothing runs them.
 */
const reasons: Readonly<
  Record<string, { readonly runBy: string } | { readonly doneBy: string } | { readonly why: string }>
> = {
  'fresh-machine': { runBy: 'scripts/test-fresh.sh' },
  image: { runBy: 'scripts/image-steps.sh' },
  host: { runBy: 'scripts/test-systemd.sh' },
  package: { doneBy: 'test/long/package.spec.ts' },
  'way-in': { doneBy: 'test/e2e/console/sign-in.spec.ts' },
  developer: { why: 'they take minutes, or watch without end; what they name is looked for' },
  'fleet-demo': { doneBy: 'test/fleet/demo-fleet.spec.ts' },
  generators: { runBy: 'test/generators/generators.spec.ts' },
  descriptors: { runBy: 'test/e2e/file-descriptors/host-files.spec.ts' },
  tap: { doneBy: 'test/e2e/file-descriptors/host-files.spec.ts' },
  'command-line': { doneBy: 'test/e2e/command-line/page.spec.ts' },
};

const scene = new GatewayScene();
afterEach(() => scene.end());

const prelude = readFileSync(new URL('./documented-commands.sh', import.meta.url), 'utf8');
const programs = {
  gateway: path.join(root, 'apps/gateway/bin/qmp-gateway.js'),
  compiler: path.join(root, 'apps/qapi-compiler/bin/qapi-compiler.js'),
};

/** As `npm run demo`: two VMs that run, the first one with an agent, and what its `export` line sets. */
async function demo(): Promise<Record<string, string>> {
  const args = ['-device', 'VGA', '-device', 'pcie-root-port,id=rp0', '-object', 'rng-builtin,id=rng', '-vnc', 'none'];
  const vms = ['demo-1', 'demo-2'];
  const sockets = await Promise.all(
    vms.map(async (name) => (await scene.qemu({ machine: 'q35', args: ['-name', name, ...args] })).socket),
  );
  const directory = scene.directory();
  await startGuestAgent(scene, directory);
  const agents = [{ agent: `unix:${directory}/qga` }, {}];
  const definitions = vms.map((id, at) => [id, { endpoint: `unix:${sockets[at]}`, ...agents[at] }]);
  const gateway = await scene.gateway({ settings: { vms: Object.fromEntries(definitions) as object } });
  for (const id of vms) {
    await gateway.vmBecomes(id, 'ready');
    expect((await run(gateway, id, 'cont')).status).toBe(200);
  }
  await agentBecomes(gateway, 'demo-1', 'ready');
  return { AUTH: `Authorization: Bearer ${gateway.token}`, GW: gateway.url, base: gateway.url };
}

const all = pages().flatMap(blocksOf);
const isRun = (block: Block) => isShell(block) && block.notRun === undefined;
const commandPages = pages().filter((page) => blocksOf(page).some(isRun));

describe('the commands of', () => {
  it.each(commandPages)('%s work as they stand', { timeout: 120_000 }, async (page) => {
    const script = scriptOf(blocksOf(page).filter(isRun));
    const surroundings = script.includes('$GW') && !/^export GW=/m.test(script) ? await demo() : { base: '' };
    const directory = scene.directory();
    const file = path.join(scene.directory(), 'commands.sh');
    writeFileSync(file, `${prelude}\n${script}`);
    const bash = spawn('bash', [file], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...programs, ...surroundings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    scene.keep(bash, () => bash.kill());
    const [stdout, stderr, [status]] = await Promise.all([text(bash.stdout), text(bash.stderr), once(bash, 'close')]);
    const last = stdout.trimEnd().slice(-500);
    expect({ status: status as unknown, stderr, last }).toEqual({
      status: 0,
      stderr: expect.any(String) as string,
      last,
    });
  });
});

describe('blocks that are not run', () => {
  const marked = all.filter(isShell).filter(({ notRun }) => notRun !== undefined);

  it('each have a reason of the table, which has no others', () => {
    expect([...new Set(marked.map(({ notRun }) => notRun))].sort()).toEqual(Object.keys(reasons).sort());
  });

  it('are run by the test that is said to, which takes them from their page', () => {
    for (const { page, notRun } of marked) {
      const reason = reasons[notRun ?? ''];
      if (reason === undefined) continue;
      if ('runBy' in reason) {
        const taken = reason.runBy.endsWith('.ts') ? `'${page}'` : `page-block.js ${page} `;
        expect(readFileSync(path.join(root, reason.runBy), 'utf8')).toContain(taken);
      }
      if ('doneBy' in reason) expect(existsSync(path.join(root, reason.doneBy))).toBe(true);
    }
  });

  it('name scripts and tests that are there', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object };
    const text = marked.map((block) => block.text).join('');
    const named = [...text.matchAll(/\bnpm run (\S+)/g)].map(([, name]) => name);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining([...new Set(named)]));
    const paths = [...text.matchAll(/(?<= )(?:apps|libs|test|packaging)\/\S+/g)].map(([file]) => file);
    expect(paths.length).toBeGreaterThan(5);
    expect(paths.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  it('are not hidden as something else', () => {
    const hidden = all.filter((block) => !isShell(block) && /^(?:\$ )?(?:curl|npm|npx|node|docker) /m.test(block.text));
    expect(hidden).toEqual([]);
  });
});

describe('links', () => {
  const anchorOf = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
  const links = pages().flatMap((page) =>
    [
      ...readFileSync(path.join(root, page), 'utf8')
        .replaceAll(/^```[^]*?^```$/gm, '')
        .matchAll(/\]\(([^)\s]+)\)/g),
    ]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .map((link) => ({ page, link })),
  );

  it.each(links)('$page: $link leads somewhere', ({ page, link }) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? page : path.join(path.dirname(page), file);
    expect([target, existsSync(path.join(root, target))]).toEqual([target, true]);
    if (anchor === undefined) return;
    const headings = [...readFileSync(path.join(root, target), 'utf8').matchAll(/^#+ (.*)$/gm)];
    expect(headings.map(([, heading = '']) => anchorOf(heading))).toContain(anchor);
  });

  it('lead from docs/README.md to every page of docs', () => {
    const indexes = ['docs/README.md', 'docs/decisions/README.md'];
    const reached = links
      .filter(({ page }) => indexes.includes(page))
      .map(({ page, link }) => path.join(path.dirname(page), link));
    const wanted = pages().filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(reached).toEqual(expect.arrayContaining(wanted));
  });
});
