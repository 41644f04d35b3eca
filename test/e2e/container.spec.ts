import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { settingsType } from '../../apps/gateway/src/settings/settings.js';
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
    expect(last.instructions[at]?.text).toBe('1000:1000');
    expect(last.instructions.slice(at).filter(({ name }) => ['RUN', 'COPY', 'ADD'].includes(name))).toEqual([]);
  });

  it('starts one program that gets the signals: no shell that stays, no npm', () => {
    const [program = '', ...rest] = execForm(last, 'ENTRYPOINT');
    expect(program === 'qmp-gateway' || rest[1]?.startsWith('exec ')).toBe(true);
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
      expect.stringMatching(/^install -d -o 1000 -g 1000 -m 0700 .*\/run\/qemu\b/),
    );
  });
});

describe('the image of the gateway', () => {
  const [addon, build, image, ...more] = readDockerfile('Dockerfile');
  if (addon === undefined || build === undefined || image === undefined) throw new Error('less than three stages');

  it('is made of what the tarball holds, and of the addon: what builds is not in it', () => {
    expect(more).toEqual([]);
    expect(copiesOf(image).map(({ from, sources }) => [from, ...sources])).toEqual([
      [build.name, '/opt/qmp-gateway'],
      [addon.name, '/addon/prebuilds'],
    ]);
    const [packs = '', installs = ''] = build.instructions.filter(({ name }) => name === 'RUN').map(({ text }) => text);
    expect(packs).toMatch(/^npm ci && .*npm run pack -- (\S+)$/);
    expect(installs).toContain(`npm install --offline ${/(\S+)$/.exec(packs)?.[1] ?? ''}/qmp-gateway-`);
    expect(installs).toContain('npm sbom');
  });

  it('has the addon of its own platform: none of whoever builds it, who may have another', () => {
    expect(isIgnored('libs/unix-fds/prebuilds')).toBe(true);
    const [, prebuilds] = copiesOf(image);
    expect(prebuilds?.target).toBe(
      '/opt/qmp-gateway/node_modules/qmp-gateway/node_modules/@qmp-gateway/unix-fds/prebuilds',
    );
    expect(addon.instructions.map(({ text }) => text).join('\n')).toMatch(/node build\.mjs --arch \$arch/);
  });

  it('says whether it is alive, where its settings say that it listens', () => {
    const text = (name: string) => image.instructions.find((one) => one.name === name)?.text ?? '';
    const port = /QMPGW_LISTEN=0\.0\.0\.0:(\d+)/.exec(text('ENV'))?.[1] ?? '';
    expect(text('EXPOSE')).toBe(port);
    expect(execForm(image, 'HEALTHCHECK')).toEqual(['qmp-gateway', 'health']);
    expect(text('VOLUME')).toBe(/QMPGW_STATE=(\S+)/.exec(text('ENV'))?.[1]);
  });

  it('looks for settings where the manifest for Kubernetes has them, not in the state', () => {
    const directory = image.instructions.findLast(({ name }) => name === 'WORKDIR')?.text;
    const manifest = readFileSync(`${root}examples/kubernetes/qmp-gateway.yaml`, 'utf8');
    expect(manifest).toContain(`{ name: settings, mountPath: ${directory}, readOnly: true }`);
    expect(manifest).toMatch(/^ {2}qmp-gateway\.yaml: \|$/m);
  });
});

describe('examples/kubernetes', () => {
  const documents = parseAllDocuments(readFileSync(`${root}examples/kubernetes/qmp-gateway.yaml`, 'utf8')).map(
    (document) => document.toJSON() as { kind: string; spec: Record<string, never> },
  );

  it('runs one gateway, not as root, with a file system that it cannot change', () => {
    expect(documents.map(({ kind }) => kind)).toEqual(['ConfigMap', 'StatefulSet', 'Service']);
    expect(documents[1]?.spec).toMatchObject({
      replicas: 1,
      template: {
        spec: {
          securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              securityContext: {
                ...{ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              },
              livenessProbe: { httpGet: { path: '/livez' } },
              readinessProbe: { httpGet: { path: '/readyz' } },
            },
          ],
        },
      },
    });
  });

  it('has settings that the gateway takes', () => {
    const [settings] = Object.values((documents[0] as unknown as { data: Record<string, string> }).data);
    expect(settingsType.read(parse(settings ?? '') as Record<string, unknown>).faults).toEqual([]);
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

  it('builds its services, and declares the volumes they share', () => {
    for (const service of Object.values(compose.services)) expect(service).toHaveProperty('build');
    const used = Object.values(compose.services).flatMap((service) => service['volumes'] as readonly string[]);
    const named = used.map((volume) => volume.split(':')[0] ?? '').filter((source) => /^\w/.test(source));
    expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort());
  });
});

describe.each(['docker-compose.yml', 'docker-compose.fleet.yml'])('%s', (file) => {
  it('is one that docker-compose takes, where there is one', async () => {
    const commands: readonly (readonly [string, ...string[]])[] = [['docker-compose'], ['docker', 'compose']];
    for (const [program, ...rest] of commands) {
      const works = await promisify(execFile)(program, [...rest, 'version']).then(
        () => true,
        () => false,
      );
      if (!works) continue;
      const { stdout } = await promisify(execFile)(program, [...rest, '-f', `${root}${file}`, 'config']);
      const { services } = parse(stdout) as typeof compose;
      const own = parse(readFileSync(`${root}${file}`, 'utf8'), { merge: true }) as typeof compose;
      expect(Object.keys(services).sort()).toEqual(Object.keys(own.services).sort());
    }
  });
});

describe('docker-compose.fleet.yml', () => {
  const fleet = parse(readFileSync(`${root}docker-compose.fleet.yml`, 'utf8'), { merge: true }) as typeof compose;
  const { nats, ...others } = fleet.services;
  const gateways = Object.entries(others).filter(([, service]) => service['build'] === '.');
  const vms = Object.entries(others).filter(([, service]) => service['build'] !== '.');

  it('is a NATS server of a stated release, and three gateways that may do no more than they need', () => {
    expect(nats).toMatchObject({ image: expect.stringMatching(/^nats:\d+\.\d+-/) as string });
    expect(nats).not.toHaveProperty('ports');
    expect(gateways.map(([name]) => name)).toEqual(['a', 'b', 'c']);
    for (const [name, service] of gateways) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      expect(service['ports']).toEqual([expect.stringMatching(/^127\.0\.0\.1:80\d\d:8080$/)]);
      expect((service['command'] as string[]).slice(0, 3)).toEqual(['serve', '--fleet-node', name]);
    }
  });

  it('gives each gateway a VM, whose monitor both see, and settings that it takes', () => {
    expect(vms).toHaveLength(gateways.length);
    for (const [at, [, gateway]] of gateways.entries()) {
      const [vm, service] = vms[at] ?? ['', {}];
      const mounts = gateway['volumes'] as string[];
      expect(gateway['command']).toContain(`${vm}=unix:/run/qemu/${vm}.qmp`);
      expect(mounts).toEqual(expect.arrayContaining(service['volumes'] as string[]));
      expect(service).toMatchObject({ command: [vm], network_mode: 'none' });
      expect(mounts).toContain('./docker/fleet.yaml:/etc/qmp-gateway/qmp-gateway.yaml:ro');
    }
    const settings = parse(readFileSync(`${root}docker/fleet.yaml`, 'utf8')) as Record<string, unknown>;
    expect(settingsType.read(settings).faults).toEqual([]);
  });

  it('declares the volumes that are used', () => {
    const used = Object.values(fleet.services).flatMap((service) => service['volumes'] as readonly string[]);
    const named = used.map((volume) => volume.split(':')[0] ?? '').filter((source) => /^\w/.test(source));
    expect([...new Set(named)].sort()).toEqual(Object.keys(fleet.volumes).sort());
  });
});
