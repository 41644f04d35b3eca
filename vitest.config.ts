import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));
// Unit tests read the sources, so that they need no build; end-to-end tests start the built service.
const alias = Object.fromEntries(
  readdirSync(`${root}libs`).map((name) => [`@qmp-gateway/${name}`, `${root}libs/${name}/src/index.ts`]),
);

export default defineConfig({
  test: {
    reporters: ['default'],
    // Most of the time of a test is waiting for processes; the default leaves one of two processors idle.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'unit',
          root,
          include: ['libs/**/src/**/*.spec.ts', 'apps/**/src/**/*.spec.ts', 'test/structure/*.spec.ts'],
          testTimeout: 20_000,
        },
      },
      {
        resolve: { alias },
        test: { name: 'e2e', root, include: ['test/e2e/**/*.spec.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
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
    ],
  },
});
