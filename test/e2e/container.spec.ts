import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { copiesOf, execForm, isIgnored, readDockerfile } from './dockerfile.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = ['Dockerfile', 'docker/demo-vm.Dockerfile'];
const compose = parse(readFileSync(`${root}docker-compose.yml`, 'utf8')) as {
  services: Record<string, Record<string, unknown>>;
  volumes: Record<string, unknown>;
};

describe.each(files)('%s', (file) => {
  const stages = readDockerfile(file);
  const last = stages.at(-1);
  if (last === undefined) throw new Error('no stage');
  const named = (name: string) => last.instructions.filter((instruction) => instruction.name === name);

  it('starts from images of a stated release', () => {
    for (const { image } of stages) expect(image).toMatch(/^[a-z/]+:(?!latest)[\w.-]+$/);
  });

  it('ends as somebody who is not root, and changes nothing after', () => {
    const at = last.instructions.findLastIndex(({ name }) => name === 'USER');
    expect(last.instructions[at]?.text).toMatch(/^(?:node|1000:1000)$/);
    expect(last.instructions.slice(at).filter(({ name }) => ['RUN', 'COPY', 'ADD'].includes(name))).toEqual([]);
  });

  it('starts one program that gets the signals: no shell that stays, no npm', () => {
    const [program = '', ...rest] = execForm(last, 'ENTRYPOINT');
    expect(program === 'node' || rest[1]?.startsWith('exec ')).toBe(true);
    expect([program, ...rest].join(' ')).not.toMatch(/\bnp[mx]\b/);
  });

  it('copies what is there and not kept out', () => {
    for (const { from, sources } of stages.flatMap(copiesOf)) {
      if (from !== undefined) expect(stages.map(({ name }) => name)).toContain(from);
      else
        for (const source of sources)
          expect([source, existsSync(path.join(root, source)), isIgnored(source)]).toEqual([source, true, false]);
    }
  });

  it('leaves no package lists and installs nothing that is only recommended', () => {
    for (const { text } of named('RUN').filter((run) => run.text.includes('apt-get')))
      expect(text).toMatch(/install -y --no-install-recommends .*rm -rf \/var\/lib\/apt\/lists\/\*$/);
  });

  it('gives the directory of the monitors to the user that both have', () => {
    expect(named('RUN').map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/install -d -o (?:node|1000) -g (?:node|1000) -m 0700 .*\/run\/qemu$/),
    );
  });
});

describe('the image of the gateway', () => {
  const [build, image, ...more] = readDockerfile('Dockerfile');
  if (build === undefined || image === undefined) throw new Error('one stage only');

  it('is made in two stages: what builds is not in it', () => {
    expect(more).toEqual([]);
    expect(copiesOf(image).map(({ from }) => from)).toEqual(copiesOf(image).map(() => build.name));
    expect(build.instructions.find(({ name }) => name === 'RUN')?.text).toMatch(/^npm ci && .* npm prune --omit=dev$/);
  });

  it('says whether it is alive, at the port it listens on', () => {
    const text = (name: string) => image.instructions.find((one) => one.name === name)?.text ?? '';
    const port = /QMPGW_LISTEN=0\.0\.0\.0:(\d+)/.exec(text('ENV'))?.[1] ?? '';
    expect(text('EXPOSE')).toBe(port);
    expect(execForm(image, 'HEALTHCHECK')).toEqual(['node', '-e', expect.stringContaining(`127.0.0.1:${port}/livez`)]);
    expect(text('VOLUME')).toBe(/QMPGW_STATE=(\S+)/.exec(text('ENV'))?.[1]);
  });
});

describe('docker-compose.yml', () => {
  it('lets the gateway do no more than it needs', () => {
    expect(compose.services['gateway']).toMatchObject({
      ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
      ports: ['127.0.0.1:8080:8080'],
    });
    for (const [name, service] of Object.entries(compose.services))
      expect([name, service['privileged'], service['network_mode']]).toEqual([
        ...[name, undefined, name === 'gateway' ? undefined : 'none'],
      ]);
  });

  it('is one that docker-compose takes, where there is one', async () => {
    const commands: readonly (readonly [string, ...string[]])[] = [['docker-compose'], ['docker', 'compose']];
    for (const [program, ...rest] of commands) {
      const works = await promisify(execFile)(program, [...rest, 'version']).then(
        () => true,
        () => false,
      );
      if (!works) continue;
      const { stdout } = await promisify(execFile)(program, [...rest, '-f', `${root}docker-compose.yml`, 'config']);
      const { services } = parse(stdout) as typeof compose;
      expect(Object.keys(services).sort()).toEqual(Object.keys(compose.services).sort());
    }
  });

  it('builds its services, and declares the volumes they share', () => {
    for (const service of Object.values(compose.services)) expect(service).toHaveProperty('build');
    const used = Object.values(compose.services).flatMap((service) => service['volumes'] as readonly string[]);
    const named = used.map((volume) => volume.split(':')[0] ?? '').filter((source) => /^\w/.test(source));
    expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort());
  });
});
