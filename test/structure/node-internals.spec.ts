import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What is used of Node beyond its documentation, or means another thing from release to release. Each stands in one file
 * with a test of its own, which `test/long/other-nodes.spec.ts` runs on every release.
 */
const internals: readonly {
  readonly what: string;
  readonly use: RegExp;
  readonly files: readonly string[];
  readonly tests: readonly string[];
}[] = [
  {
    what: 'the handle of a socket, which tells how much of a write is unsent, and its descriptor',
    use: /\b_handle\b|\bwriteQueueSize\b/,
    files: ['apps/gateway/src/entrance/stuck-readers.ts', 'libs/unix-fds/src/descriptor-channel.ts'],
    tests: ['apps/gateway/src/entrance/stuck-readers.spec.ts', 'libs/unix-fds/src/descriptor-channel.spec.ts'],
  },
  {
    what: 'the end of an answer that Node did not write, and of an exchange that it gave up',
    use: /\.emit\('(?:finish|close|end|prefinish)'/,
    files: ['apps/gateway/src/entrance/listener.ts', 'apps/gateway/src/http/one-piece-answer.ts'],
    tests: ['apps/gateway/src/entrance/listener.spec.ts', 'apps/gateway/src/http/one-piece-answer.spec.ts'],
  },
  {
    what: 'corking: some releases write the end of an answer before what is corked, so it is for sockets of our own only',
    use: /\.(?:un)?cork\(/,
    files: ['apps/gateway/src/sockets/gathering-writer.ts'],
    tests: ['apps/gateway/src/sockets/gathering-writer.spec.ts'],
  },
  {
    what: 'a connection handed to a server once more; the body of an upgrade, which newer releases read',
    use: /process\.versions|\.emit\([^)]*'(?:secureConnection|connection)', socket\)|\.assignSocket\(/,
    files: ['apps/gateway/src/entrance/ignored-upgrade.ts'],
    tests: ['test/e2e/pipelining.spec.ts'],
  },
  {
    what: 'requests that Node announces in another way than as requests',
    use: /\.emit\('(?:request|upgrade|checkContinue)'/,
    files: ['apps/gateway/src/entrance/dispatcher.ts', 'apps/gateway/src/entrance/ignored-upgrade.ts'],
    tests: ['apps/gateway/src/entrance/dispatcher.spec.ts'],
  },
  {
    what: 'memory beside the pool of short buffers, which holds 8 or 64 KiB by release',
    use: /\ballocUnsafeSlow\b|\bpoolSize\b/,
    files: ['libs/qmp/src/line-splitter.ts', 'libs/qmp/src/own-bytes.ts'],
    tests: ['libs/qmp/src/line-splitter.spec.ts', 'libs/qmp/src/own-bytes.spec.ts'],
  },
  {
    what: 'the inside of Express or of the parser of HTTP',
    use: /\brouter\.stack\b|\b_router\b|\b_socket\b|\bkOnHeaders|process\.binding|\._(?:events|readableState|writableState|header)\b/,
    files: [],
    tests: [],
  },
];

const sources = ['apps', 'libs'].flatMap((group) =>
  readdirSync(path.join(root, group), { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(group, name))
    .filter((name) => /\/src\/.*\.ts$/.test(name) && !/\.(?:spec|scene)\.ts$|node_modules|test-kit/.test(name)),
);
const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

describe('the inside of Node', () => {
  it.each(internals)('is used where the table says: $what', ({ use, files, tests }) => {
    expect(sources.length).toBeGreaterThan(200);
    expect(sources.filter((file) => use.test(textOf(file)))).toEqual(files);
    expect(tests.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });
});

/** Buffers that outlive the turn they were made in, and how each is kept from holding a pool. */
const kept: readonly (readonly [file: string, how: RegExp])[] = [
  ['apps/gateway/src/operations/operation.ts', /<= smallBytes \? value\.toString\('latin1'\) : ownBytes\(value\)/],
  ['apps/gateway/src/commands/idempotency.ts', /json: ownBytes\(answer\.json\)/],
  ['apps/gateway/src/access/tokens/token-store.ts', /bytes: ownBytes\(Buffer\.from\(secret, 'latin1'\)\)/],
  ['apps/gateway/src/events/subscriber.ts', /#backlog\.push\(ownFrame\(item\)\)/],
];

it.each(kept)('%s keeps bytes in memory of their own', (file, how) => {
  expect(textOf(file)).toMatch(how);
});
