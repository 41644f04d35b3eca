// Other releases of Node.js, as npm packages: no installer and no right to change the machine is needed.

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const cache = fileURLToPath(new URL('../node_modules/.cache/other-nodes', import.meta.url));
/** A release is 100 MB, and is fetched once. */
const fetchDeadlineMs = 300_000;

/** `24`, `20.19` or `22.12.0`. */
export const isRelease = (word) => /^\d+(?:\.\d+){0,2}$/.test(word);

/**
 * @param release a major version, or a more exact one
 * @returns the program, its version, and an environment in which `node`, `npm` and `npx` run on it
 * @throws if it is not in the cache and no registry has it
 */
export async function otherNode(release) {
  // The package of the platform itself: the one called `node` gets it by a script.
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = join(cache, release);
  mkdirSync(prefix, { recursive: true });
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await execute('npm', ['install', '--prefix', prefix, ...quiet, `${name}@${release}`], { timeout: fetchDeadlineMs });
  const program = join(prefix, 'node_modules', name, 'bin/node');
  const { stdout } = await execute(program, ['--version']);
  const version = stdout.trim();
  if (version !== `v${release}` && !version.startsWith(`v${release}.`))
    throw new Error(`asked for ${release}, got ${version}`);
  const PATH = [dirname(program), process.env.PATH].join(delimiter);
  return { program, version, environment: { ...process.env, PATH } };
}
