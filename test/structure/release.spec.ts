import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const file = new URL('../../.github/workflows/release.yml', import.meta.url);
const { jobs } = parse(readFileSync(file, 'utf8')) as {
  jobs: { packages: { permissions: Record<string, string>; steps: { run?: string }[] } };
};

it('a release says where its packages come from before it packs them, and publishes those with provenance', () => {
  const { permissions, steps } = jobs.packages;
  expect(permissions['id-token']).toBe('write');
  const runs = steps.map(({ run = '' }) => run);
  const places = ['release.js repository "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"', 'run pack', 'npm publish'].map(
    (part) => runs.findIndex((run) => run.includes(part)),
  );
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  const published = runs.flatMap((run) => run.match(/npm publish .*/g) ?? []);
  for (const line of published) expect(line).toContain('--provenance');
});
