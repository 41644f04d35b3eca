#!/usr/bin/env node
// Adds to a package what its tarball needs beside its own files; npm runs it as `prepack` and `postpack`, in the package.
//
//   node package-contents.js add       builds, then adds the license, copies of the bundled packages, and the files of the
//                                      page /docs compressed
//   node package-contents.js remove    removes them
//
// The bundled packages are the `bundleDependencies` of a program and their dependencies, so that one tarball installs with the
// versions it was tested with. They must be copies below its own node_modules: npm would pack links with paths that lead out of
// the tarball.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';
import { bundleOf } from './package-bundle.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const license = 'LICENSE';
/** Of the gateway's settings file, for editors. */
const schema = 'settings.schema.json';
/** Of Swagger UI the page takes three files; the rest is ten times as much. */
const swaggerFiles =
  /^(?:LICENSE|NOTICE|swagger-ui\.css|swagger-ui-bundle\.js.*txt|swagger-ui-bundle\.js|favicon-32x32\.png)$/;
/** Folders whose scripts and style sheets browsers get: in a package, those are compressed once for all. */
const browserFolders = ['assets/docs', 'node_modules/swagger-ui-dist'];

const { bundleDependencies = [] } = manifestIn('.');
const [task] = process.argv.slice(2);
if (task === 'add') add();
else remove();

function add() {
  remove();
  build();
  removeLeftovers('.');
  cpSync(join(root, license), license);
  if (manifestIn('.').files.includes(schema)) cpSync(join(root, 'docs', schema), schema);
  if (bundleDependencies.length === 0) return;
  const { overrides = {} } = manifestIn(root);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const workspace = relative(root, process.cwd());
  for (const [target, part] of bundleOf({ lock, overrides, workspace, bundled: bundleDependencies }))
    if (/^(?:apps|libs)\//.test(part.folder)) copyOwn(join(root, part.folder), target);
    else copyOther(join(root, part.folder), target, part.dependencies);
  for (const file of browserFiles())
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: constants.Z_BEST_COMPRESSION }));
}

function browserFiles() {
  return browserFolders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((file) => /\.(?:js|css)$/.test(file));
}

function copyOwn(source, target) {
  removeLeftovers(source);
  mkdirSync(target, { recursive: true });
  cpSync(join(root, license), join(target, license));
  const listed = manifestIn(source).files.filter((entry) => !entry.startsWith('!'));
  // The addon is absent where it could not be built.
  for (const entry of ['package.json', ...listed].filter((name) => existsSync(join(source, name))))
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
  for (const copied of [license, schema, ...browserFiles().map((file) => `${file}.gz`)])
    rmSync(copied, { force: true });
  // A copy left behind would be used in place of the workspace's own.
  if (bundleDependencies.length > 0) rmSync('node_modules', { recursive: true, force: true });
}

function build() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  if (!existsSync(compiler)) fail('run npm ci first');
  const { status } = spawnSync(process.execPath, [compiler, '-b', root], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) fail('the build failed');
  if (manifestIn('.').name === 'qmp-gateway') buildConsole();
  // The native addon, for this platform; a package without it works, but passes no file descriptors.
  spawnSync(process.execPath, [join(root, 'libs/unix-fds/build.mjs'), '--if-possible', '--if-needed'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** The gateway's package has the console as it was built. */
function buildConsole() {
  const folder = join(root, 'apps/console');
  const vite = join(dirname(createRequire(join(folder, 'package.json')).resolve('vite/package.json')), 'bin/vite.js');
  const { status } = spawnSync(process.execPath, [vite, 'build'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) fail('the build of the console failed');
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
