#!/usr/bin/env node
// Builds the addon for this platform with the system's C compiler and the headers that come with Node.js. Nothing is fetched.
//
//   node build.mjs [--if-possible] [--if-needed] [--sanitize | --symbols] [--arch ARCH] [--out FILE]
//
// --if-possible  without a compiler or headers: says so, and succeeds
// --if-needed    does nothing when the binary is newer than its sources
// --sanitize     with AddressSanitizer, to be run with its library preloaded
// --arch         for another processor (x64, arm64), by the cross compiler of its GNU name; the C library is that of this platform
// --symbols      with the names of functions and lines, for valgrind
//
// N-API does not change with the release of Node.js: one binary serves all of them.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const source = join(folder, 'native/unix_fds.c');
const words = process.argv.slice(2);
const has = (word) => words.includes(word);
const after = (word) => (has(word) ? (words[words.indexOf(word) + 1] ?? misused(`${word} needs a value`)) : undefined);
/** Processors by Node's name, as compilers call them. */
const gnuNames = { x64: 'x86_64', arm64: 'aarch64' };
const arch = after('--arch') ?? process.arch;

/** Where Node.js keeps its headers: beside its program, or where NODE_HEADERS says. */
function headers() {
  const places = [process.env.NODE_HEADERS, join(dirname(process.execPath), '../include/node'), '/usr/include/node'];
  return places.find((place) => place && existsSync(join(place, 'node_api.h')) && existsSync(join(place, 'uv.h')));
}

function compiler() {
  const ofThisPlatform = ['cc', 'gcc', 'clang'];
  return [process.env.CC, ...(arch === process.arch ? ofThisPlatform : [`${gnuNames[arch]}-linux-gnu-gcc`])].find(
    (name) => name && spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
  );
}

/** The C library that Node.js is linked with. */
function libc() {
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

function misused(reason) {
  process.stderr.write(`unix-fds: ${reason}\n`);
  process.exit(2);
}

function givenUp(reason) {
  process.stderr.write(`unix-fds: not built: ${reason}\n`);
  process.exit(has('--if-possible') ? 0 : 1);
}

if (process.platform !== 'linux') givenUp(`it is for Linux, and this is ${process.platform}`);
if (arch !== process.arch && !(arch in gnuNames)) givenUp(`no compiler for ${arch} is known`);
const target = after('--out') ?? join(folder, 'prebuilds', `linux-${arch}-${libc()}`, 'unix_fds.node');
const newest = Math.max(...[source, fileURLToPath(import.meta.url)].map((file) => statSync(file).mtimeMs));
if (has('--if-needed') && existsSync(target) && statSync(target).mtimeMs > newest) process.exit(0);

const cc = compiler();
if (cc === undefined) givenUp(`there is no C compiler for ${arch}`);
const include = headers();
if (include === undefined) givenUp('the headers of Node.js are not installed (NODE_HEADERS says where they are)');
mkdirSync(dirname(target), { recursive: true });
// Put in place whole: another build, or a test, may be at it.
const made = `${target}.${process.pid}`;
const flags = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-fvisibility=hidden', '-I', include];
const legible = ['-O1', '-g', '-fno-omit-frame-pointer'];
const kind = has('--sanitize') ? [...legible, '-fsanitize=address'] : has('--symbols') ? legible : ['-O2', '-s'];
const { status } = spawnSync(cc, [...flags, ...kind, source, '-o', made], { stdio: ['ignore', 'inherit', 'inherit'] });
if (status !== 0) givenUp('the compiler failed');
renameSync(made, target);
