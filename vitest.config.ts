import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));
// Unit tests read the sources, so that they need no build; end-to-end tests start the built service.
const alias = Object.fromEntries(
  readdirSync(`${root}libs`).map((name) => [`@qmp-gateway/${name}`, `${root}libs/${name}/src/index.ts`]),
);

// Without the native addon, as on a platform that it was not built for: neither tests nor what they start can load any. Those
// that send descriptors themselves need it, and the linter has one of its own.
const isWithoutAddon = process.env['WITHOUT_ADDON'] === '1';
const withoutAddon = isWithoutAddon ? { execArgv: ['--no-addons'], env: { NODE_OPTIONS: '--no-addons' } } : {};
const needAddon = [
  'test/structure/rooms.spec.ts',
  'test/e2e/{documented-answers,problem-table}.spec.ts',
  'libs/unix-fds/src/descriptor-channel.spec.ts',
  'apps/gateway/src/descriptors/host-files.spec.ts',
  'test/e2e/file-descriptors/{host-files,monitor-clients,other-servers}.spec.ts',
];
const exclude = isWithoutAddon ? [...configDefaults.exclude, ...needAddon] : configDefaults.exclude;

export default defineConfig({
  test: {
    reporters: ['default'],
    // Much of the time of a test is waiting for processes: with a worker for each processor a quarter of their time is idle.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          root,
          include: ['libs/**/src/**/*.spec.ts', 'apps/**/src/**/*.spec.ts', 'test/structure/*.spec.ts'],
          exclude,
          ...withoutAddon,
          testTimeout: 20_000,
          // Loading the sources anew for each file took longer than its tests; what a test changes of Node it puts back.
          isolate: false,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'e2e',
          root,
          include: ['test/e2e/**/*.spec.ts'],
          exclude,
          ...withoutAddon,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: { name: 'fleet', root, include: ['test/fleet/**/*.spec.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        resolve: { alias },
        test: { name: 'conformance', root, include: ['test/conformance/**/*.spec.ts'], testTimeout: 60_000 },
      },
      {
        resolve: { alias },
        test: {
          name: 'long',
          root,
          include: ['test/long/**/*.spec.ts'],
          testTimeout: 900_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'console-size',
          root,
          include: ['test/console-size/**/*.spec.ts'],
          testTimeout: 900_000,
          hookTimeout: 300_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'generators',
          root,
          include: ['test/generators/**/*.spec.ts'],
          testTimeout: 900_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
