#!/usr/bin/env node
// A release without publishing: the script that makes one, the tarballs as linters and npm see them, an install on each Node.js,
// and an upgrade in place.
//
//   npm run test:release [-- --tag v1.2.3]

import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { otherNode } from './other-node.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Each with the npm that came with it, or one like it: warnings differ. */
const releases = [
  ['20.19', 'npm@10'],
  ['22', 'npm@10'],
  ['24', 'npm@11'],
  ['26', 'npm@11'],
];
/** Where the packages come from, for this test. */
const origin = 'https://example.org/somebody/qmp-gateway';
const scratch = mkdtempSync(join(tmpdir(), 'qmp-gateway-release-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
/** That of somebody at a shell: not that of the npm script that runs this. */
const shell = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/.test(name)));
let failures = 0;

await step('versions and changelog agree', () =>
  run(root, process.execPath, ['scripts/release.js', 'check', ...process.argv.slice(2)]),
);
await step('a release, made in a copy, agrees with itself', releaseInCopy);
const tarballs = await step('the tarballs are packed', packInCopy);
if (tarballs !== undefined) {
  for (const name of readdirSync(tarballs)) await step(`${name} is well formed`, () => lint(join(tarballs, name)));
  const gateway = join(
    tarballs,
    readdirSync(tarballs).find((name) => /^qmp-gateway-\d/.test(name)),
  );
  for (const [release, npm] of releases)
    await step(`installs on Node.js ${release} with ${npm}, without a warning`, () => installOn(release, npm, gateway));
  await step('the addon is in it for this platform, for every C library since that of Node.js 20', () =>
    addonsOf(gateway),
  );
  await step('an upgrade in place keeps tokens, VMs and audit log', () => upgrade(gateway));
}
process.exit(failures === 0 ? 0 : 1);

async function step(what, work) {
  try {
    const result = await work();
    process.stdout.write(`ok      ${what}\n`);
    return result;
  } catch (error) {
    failures++;
    process.stdout.write(`failed  ${what}\n${String(error.stdout ?? '')}${String(error.stderr ?? error.stack)}\n`);
    return undefined;
  }
}

function run(cwd, program, words, env = shell) {
  return execFileSync(program, words, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: 'pipe',
    maxBuffer: 2 ** 26,
    // Only against what hangs: a busy machine takes minutes to pack.
    timeout: 1_800_000,
  });
}

/** The next version, in a clone of what is committed. */
function releaseInCopy() {
  const clone = join(scratch, 'clone');
  run(scratch, 'git', ['clone', '--quiet', '--depth', '1', `file://${root}`, clone]);
  const author = {
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@invalid',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@invalid',
  };
  const release = (...words) => run(clone, process.execPath, ['scripts/release.js', ...words], { ...shell, ...author });
  const version = nextVersion();
  release(version, '--dry-run');
  if (run(clone, 'git', ['status', '--porcelain']) !== '') throw new Error('the dry run wrote something');
  release(version);
  release('check', '--tag', `v${version}`);
  if (release('notes', version).trim() === '') throw new Error('a release without notes');
  writeFileSync(join(clone, 'README.md'), 'changed');
  let refusal = '';
  try {
    release(nextVersion(2));
  } catch (error) {
    refusal = error.stderr;
  }
  if (!refusal.includes('the tree has changes')) throw new Error('released a tree with changes');
}

function nextVersion(by = 1) {
  const { version } = manifestOf(join(root, 'apps/gateway'));
  const [major, minor, patch] = version.split('-', 1)[0].split('.').map(Number);
  return `${major}.${minor}.${patch + by}`;
}

/** In a copy, because a package holds copies of others while it is packed. */
function packInCopy() {
  const copy = join(scratch, 'packed');
  mkdirSync(copy);
  const needed = ['apps', 'libs', 'docs', 'scripts', 'package.json', 'package-lock.json', 'LICENSE'];
  for (const name of [...needed, 'tsconfig.json', 'tsconfig.base.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const folder = join(copy, 'tarballs');
  mkdirSync(folder);
  run(copy, process.execPath, ['scripts/release.js', 'repository', origin]);
  run(copy, 'npm', ['run', 'pack', '--', folder]);
  return folder;
}

function lint(tarball) {
  const folder = join(scratch, `lint-${tarball.split('/').at(-1)}`);
  mkdirSync(folder);
  run(folder, 'tar', ['xzf', tarball, '--strip-components=1']);
  // Packages of others that it brings along are theirs to lint.
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
  const { repository } = manifestOf(folder);
  if (repository?.url !== `git+${origin}.git`) throw new Error(`it comes from ${repository?.url}`);
  const program = (name) => join(root, 'node_modules/.bin', name);
  run(folder, program('publint'), ['run', '--strict', '--pack', 'false', folder]);
  // A program has no types for others.
  if (manifestOf(folder).exports !== undefined)
    run(folder, program('attw'), ['--profile', 'esm-only', '--no-emoji', tarball]);
}

/** Whoever builds on a newer system than users have must not need anything of it. */
function addonsOf(tarball) {
  const folder = join(scratch, 'addons');
  mkdirSync(folder);
  run(folder, 'tar', ['xzf', tarball, '--wildcards', '--strip-components=4', '*/unix-fds/prebuilds/*']);
  const platforms = readdirSync(join(folder, 'prebuilds'));
  if (!platforms.includes(`linux-${process.arch}-glibc`)) throw new Error(`addons: ${platforms.join() || 'none'}`);
  for (const platform of platforms) {
    const binary = readFileSync(join(folder, 'prebuilds', platform, 'unix_fds.node'), 'latin1');
    const needed = [...binary.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
    if (Math.max(0, ...needed) > 28) throw new Error(`${platform} needs glibc 2.${Math.max(...needed)}`);
  }
}

async function installOn(release, npm, tarball) {
  const node = await otherNode(release);
  const tools = join(root, 'node_modules/.cache/other-nodes', npm);
  const cli = join(tools, 'node_modules/npm/bin/npm-cli.js');
  mkdirSync(tools, { recursive: true });
  if (!existsSync(cli)) run(scratch, 'npm', ['install', '--prefix', tools, '--no-audit', '--no-fund', npm]);
  const folder = join(scratch, `on-${release}`);
  mkdirSync(folder);
  // What a user has configured is not for the package to answer for.
  const env = { ...shell, PATH: node.environment.PATH, NPM_CONFIG_USERCONFIG: '/dev/null' };
  const quiet = '--offline --no-audit --no-fund --no-update-notifier';
  const said = run(folder, 'sh', ['-c', `node '${cli}' install ${quiet} '${tarball}' 2>&1`], env);
  if (!/^\s*added 1 package in \S+\s*$/.test(said)) throw new Error(`npm said: ${said}`);
  const version = run(folder, 'node', ['node_modules/qmp-gateway/bin/qmp-gateway.js', 'version'], env).trim();
  if (version !== manifestOf(join(folder, 'node_modules/qmp-gateway')).version) throw new Error(`version: ${version}`);
}

/** From the version before this one where its tarball is at hand; from this one under another number otherwise. */
async function upgrade(tarball) {
  const folder = join(scratch, 'upgraded');
  mkdirSync(folder);
  const install = (file) => run(folder, 'npm', ['install', '--offline', '--no-audit', '--no-fund', file]);
  install(tarball);
  const first = await serve(folder);
  const token = readFileSync(join(folder, 'state/root.token'), 'utf8').trim();
  await first.ask(token, '/v1/vms/kept', { method: 'PUT', body: '{"endpoint":"unix:/nowhere/kept.qmp"}' });
  const made = await first.ask(token, '/v1/tokens', { method: 'POST', body: '{"name":"kept","level":"read"}' });
  await first.stop();
  const lines = auditLines(folder);
  install(renumbered(tarball));
  const second = await serve(folder);
  const { version } = await second.ask(token, '/v1');
  if (version !== nextVersion()) throw new Error(`it is ${version} that runs`);
  if (readFileSync(join(folder, 'state/root.token'), 'utf8').trim() !== token) throw new Error('another root token');
  const { vms } = await second.ask(made.token, '/v1/vms');
  if (vms.map(({ id }) => id).join() !== 'kept') throw new Error(`the VMs are ${JSON.stringify(vms)}`);
  await second.stop();
  if (!auditLines(folder).startsWith(lines) || lines === '') throw new Error('the audit log does not go on');
}

function auditLines(folder) {
  return readFileSync(join(folder, 'state/audit.log'), 'utf8');
}

function renumbered(tarball) {
  const folder = join(scratch, 'renumbered');
  mkdirSync(folder);
  run(folder, 'tar', ['xzf', tarball]);
  const manifest = { ...manifestOf(join(folder, 'package')), version: nextVersion() };
  writeFileSync(join(folder, 'package/package.json'), JSON.stringify(manifest));
  run(folder, 'tar', ['czf', 'next.tgz', 'package']);
  return join(folder, 'next.tgz');
}

async function serve(folder) {
  const program = 'node_modules/qmp-gateway/bin/qmp-gateway.js';
  const child = spawn(process.execPath, [program, 'serve', '--listen', '127.0.0.1:0'], {
    cwd: folder,
    env: shell,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.once('exit', () => child.kill('SIGKILL'));
  let url;
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^qmp-gateway listening on (http:\S+)/.exec(line)?.[1];
    break;
  }
  if (url === undefined) throw new Error('it does not listen');
  const ask = async (token, path, init = {}) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    const answer = await fetch(url + path, { ...init, headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const stop = async () => {
    child.kill('SIGTERM');
    const status = await ended;
    if (status !== 0) throw new Error(`ended with status ${status}`);
  };
  return { ask, stop };
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
