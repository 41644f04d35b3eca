#!/usr/bin/env node
// What a package needs beside its own files while it is packed; npm runs it as `prepack` and `postpack`, in the package.
//
//   node package-contents.js add       builds, then puts the license and copies of the bundled packages into it
//   node package-contents.js remove    takes them out again
//
// Bundled are the packages that a program is made of (`bundleDependencies`) and what those need, so that one tarball can be
// installed, in the versions it was tested with. They must be copies below its own node_modules: npm packs links to them
// with paths out of the tarball.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleOf } from './package-bundle.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const license = 'LICENSE';
/** Of Swagger UI the page takes three files; the rest is ten times as much. */
const swaggerFiles =
  /^(?:LICENSE|NOTICE|(?:index|absolute-path)\.js|swagger-ui\.css|swagger-ui-bundle\.js.*txt|swagger-ui-bundle\.js|favicon-32x32\.png)$/;

const { bundleDependencies = [] } = manifestIn('.');
const [task] = process.argv.slice(2);
if (task === 'add') add();
else remove();

function add() {
  remove();
  build();
  removeLeftovers('.');
  cpSync(join(root, license), license);
  if (bundleDependencies.length === 0) return;
  const { overrides = {} } = manifestIn(root);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const workspace = relative(root, process.cwd());
  for (const [target, part] of bundleOf({ lock, overrides, workspace, bundled: bundleDependencies }))
    if (part.folder.startsWith('libs/')) copyOwn(join(root, part.folder), target);
    else copyOther(join(root, part.folder), target, part.dependencies);
}

function copyOwn(source, target) {
  removeLeftovers(source);
  mkdirSync(target, { recursive: true });
  cpSync(join(root, license), join(target, license));
  const listed = manifestIn(source).files.filter((entry) => !entry.startsWith('!'));
  for (const entry of ['package.json', ...listed])
    cpSync(join(source, entry), join(target, entry), { recursive: true });
}

function copyOther(source, target, dependencies) {
  const manifest = manifestIn(source);
  mkdirSync(target, { recursive: true });
  for (const entry of readdirSync(source)) {
    // Those have a place of their own in the bundle.
    if (entry === 'node_modules') continue;
    if (manifest.name === 'swagger-ui-dist' && !swaggerFiles.test(entry)) continue;
    const filter = (file) => !/\.map$/.test(file);
    cpSync(join(source, entry), join(target, entry), { recursive: true, filter });
  }
  writeFileSync(join(target, 'package.json'), `${JSON.stringify({ ...manifest, dependencies }, undefined, 2)}\n`);
}

function remove() {
  rmSync(license, { force: true });
  // A copy left behind would be used in place of the workspace's own.
  if (bundleDependencies.length > 0) rmSync('node_modules', { recursive: true, force: true });
}

function build() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  if (!existsSync(compiler)) fail('run npm ci first');
  const { status } = spawnSync(process.execPath, [compiler, '-b', root], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) fail('the build failed');
}

/** The compiler leaves the output of sources that are no more. */
function removeLeftovers(folder) {
  const dist = join(folder, 'dist');
  for (const file of readdirSync(dist, { recursive: true })) {
    const output = /^(.+?)(?:\.js|\.d\.ts)(?:\.map)?$/.exec(file);
    if (output !== null && !existsSync(join(folder, 'src', `${output[1]}.ts`))) rmSync(join(dist, file));
  }
}

function manifestIn(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function fail(message) {
  process.stderr.write(`package-contents: ${message}\n`);
  process.exit(1);
}
