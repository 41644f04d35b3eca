import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const file = new URL('../../.github/workflows/release.yml', import.meta.url);
interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
const { jobs } = parse(readFileSync(file, 'utf8')) as {
  jobs: {
    addon: { strategy: { matrix: { runner: string[]; image: string[] } }; steps: Step[] };
    packages: { needs: string; permissions: Record<string, string>; steps: Step[] };
  };
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

it('a release has the addon of each platform before it packs, and counts them', () => {
  const { runner, image } = jobs.addon.strategy.matrix;
  const { needs, steps } = jobs.packages;
  expect(needs).toBe('addon');
  const at = (part: string) => steps.findIndex(({ uses = '', run = '' }) => `${uses}${run}`.includes(part));
  const places = ['actions/checkout', 'download-artifact', 'test:release', 'run pack', 'tar tzf', 'npm publish'].map(
    at,
  );
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(steps[at('download-artifact')]?.with).toMatchObject({
    path: 'libs/unix-fds/prebuilds',
    'merge-multiple': true,
  });
  expect(jobs.addon.steps.at(-1)?.with).toMatchObject({ path: 'libs/unix-fds/prebuilds/' });
  expect(steps[at('tar tzf')]?.run).toContain(`= ${runner.length * image.length}\n`);
});
