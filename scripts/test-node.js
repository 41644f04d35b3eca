#!/usr/bin/env node
// Builds and tests with other releases of Node.js than the installed one:
//
//   npm run test:node -- RELEASE… [ARGUMENTS OF VITEST]
//   npm run test:node -- 24                            build, unit tests and end-to-end tests on Node.js 24
//   npm run test:node -- 22 24 test/e2e/fan-out.spec.ts
//
// Ends with status 1 if something failed, and 3 if nothing did but a release could not be had.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isRelease, otherNode } from './other-node.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2);
const firstOther = words.findIndex((word) => !isRelease(word));
const releases = firstOther < 0 ? words : words.slice(0, firstOther);
const chosen = firstOther < 0 ? [] : words.slice(firstOther);
if (releases.length === 0) {
  process.stderr.write(
    'usage: npm run test:node -- RELEASE… [ARGUMENTS OF VITEST], for example: npm run test:node -- 24\n',
  );
  process.exit(2);
}

const rows = [];
for (const release of releases) rows.push(await testOn(release));
const line = (cells) =>
  cells
    .map((cell, at) => cell.padEnd([14, 20, 20, 20][at]))
    .join('')
    .trimEnd();
process.stdout.write(`\n${[['Node.js', 'build', 'unit', 'e2e'], ...rows].map(line).join('\n')}\n`);
const cells = rows.flat();
process.exit(cells.some((cell) => cell.startsWith('failed')) ? 1 : cells.includes('not had') ? 3 : 0);

/** @returns its version, and what became of each part */
async function testOn(release) {
  let node;
  try {
    node = await otherNode(release);
  } catch (error) {
    process.stderr.write(`Node.js ${release} cannot be had: ${String(error.stderr || error.message).slice(0, 500)}\n`);
    return [`v${release}`, 'not had', 'not had', 'not had'];
  }
  process.stdout.write(`\nNode.js ${node.version}\n`);
  // Compiled by that Node.js, not only looked at: except where somebody wants the answer of one test soon.
  const build = run(node, 'typescript/bin/tsc', ['-b', ...(chosen.length === 0 ? ['--force'] : [])]);
  const page = build.startsWith('failed') ? build : buildConsole(node);
  const parts = ['unit', 'e2e'].map((project) =>
    page.startsWith('failed')
      ? 'not run'
      : run(node, 'vitest/vitest.mjs', ['run', '--project', project, '--passWithNoTests', ...chosen]),
  );
  return [node.version, page.startsWith('failed') ? page : build, ...parts];
}

/** The page as that Node.js builds it. @returns as {@link run} */
function buildConsole({ environment }) {
  const arguments_ = ['run', '--silent', 'build', '--workspace', '@qmp-gateway/console'];
  const { status } = spawnSync('npm', arguments_, { cwd: root, env: environment, stdio: 'inherit' });
  return status === 0 ? 'passed' : 'failed (the console)';
}

/** Runs a program of a package. @returns what became of it, and in how many seconds */
function run({ program, environment }, script, arguments_) {
  const began = performance.now();
  const options = { cwd: root, env: environment, stdio: 'inherit' };
  const { status } = spawnSync(program, [`${root}node_modules/${script}`, ...arguments_], options);
  return `${status === 0 ? 'passed' : 'failed'} (${Math.round((performance.now() - began) / 1000)} s)`;
}
