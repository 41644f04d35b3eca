import { chmodSync, chownSync, mkdirSync, readdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { settingsType } from '../../apps/gateway/src/settings/settings.js';
import { qmpGateway } from './command-line.js';
import { GatewayScene } from './gateway-scene.js';
import { schemaFaults } from './settings-schema.js';

const scene = new GatewayScene();
afterEach(() => scene.end());

const longPath = `/run/${'q'.repeat(110)}`;
const missing = '/nonexistent/file';

/** Each line: the settings, the flags, and the paths of the faults. */
const table: readonly [title: string, file: object, flags: readonly string[], paths: readonly string[]][] = [
  [
    'unknown keys, at every depth',
    { lisen: [], limits: { que: 1 }, vms: { a: { endpoint: 'unix:/a', agnt: 1 } } },
    [],
    ['lisen', 'limits.que', 'vms.a.agnt'],
  ],
  ['keys an object inherits', { constructor: 1, limits: { toString: 2 } }, [], ['constructor', 'limits.toString']],
  [
    'wrong types',
    {
      listen: 5,
      auth: 1,
      allowedHosts: 'a',
      hostCommands: 'no',
      vms: [],
      audit: 'x',
      limits: { queue: '9', lineBytes: 'big' },
    },
    [],
    ['listen', 'auth', 'allowedHosts', 'hostCommands', 'vms', 'audit', 'limits.queue', 'limits.lineBytes'],
  ],
  [
    'wrong values',
    {
      logLevel: 'loud',
      listen: ['nowhere', { unix: 'a', mode: '9' }],
      allowedOrigins: ['https://a/b'],
      history: { events: -1 },
    },
    [],
    ['logLevel', 'listen.0', 'listen.1.mode', 'listen.1.unix', 'allowedOrigins.0', 'history.events'],
  ],
  [
    'VMs',
    {
      vms: {
        'a b': { endpoint: 'unix:/a' },
        c: { endpoint: 'ftp:/a', kind: 'vmware' },
        d: {},
        e: { endpoint: 'tcp:10.0.0.1:1' },
      },
    },
    [],
    ['vms', 'vms.c.endpoint', 'vms.c.kind', 'vms.d.endpoint', 'vms.e.endpoint'],
  ],
  [
    'socket paths that are too long',
    {
      listen: [`unix:${longPath}`],
      vms: { a: { endpoint: `unix:${longPath}` } },
      monitorSockets: { dir: longPath },
      discover: [{ qmp: `${longPath}/{id}` }],
    },
    [],
    ['listen.0', 'vms.a.endpoint', 'monitorSockets.dir', 'discover.0.qmp'],
  ],
  [
    'patterns',
    { discover: [{ qmp: '/run/qemu.qmp' }, { qmp: '/run/{id}', agent: '/run/{x}' }, '/run/{id}'] },
    [],
    ['discover.0.qmp', 'discover.1.agent', 'discover.2'],
  ],
  ['no authentication where others can come', {}, ['--auth', 'none', '--listen', '0.0.0.0:0'], ['auth']],
  ['host commands without auth none', {}, ['--allow-host'], ['allowHost']],
  [
    'certificates of clients without TLS',
    { clientCertificates: [{ subject: 'CN=a', level: 'read' }] },
    [],
    ['clientCertificates'],
  ],
  ['a group for pictures in the state directory', { pictures: { group: '0' } }, [], ['pictures.group']],
  ['pictures where they cannot be', { pictures: { dir: missing, group: 'no-such-group' } }, [], ['pictures.dir']],
  [
    'a group for pictures that is none',
    {},
    ['--pictures-dir', '/run/gw', '--pictures-group', 'no-such-group'],
    ['pictures.group'],
  ],
  ['a certificate without its key', {}, ['--tls-cert', missing], ['tls.key']],
  ['the same address twice', {}, ['--listen', '127.0.0.1:1', '--listen', '127.0.0.1:1'], ['listen.1']],
  [
    'files that cannot be read',
    {
      tls: { cert: missing, key: missing },
      catalogs: [missing],
      jwt: { issuer: 'i', audience: 'a', jwks: missing },
      vms: { a: { endpoint: 'tls:a:1', tls: { ca: missing } } },
      audit: { file: missing },
    },
    [],
    ['tls.cert', 'catalogs', 'jwt.jwks', 'vms.a.tls.ca', 'audit.file'],
  ],
  [
    'directories that cannot be',
    { listen: [`unix:${missing}`, { unix: '/tmp/gw', group: 'no-such-group' }] },
    ['--state', '/dev/null/state'],
    ['listen.0', 'listen.1.group', 'state'],
  ],
  ['classes that may not be lowered', { commandClasses: { quit: 'read' } }, [], ['commandClasses.quit']],
  [
    'a VM without endpoint, and one given twice',
    {},
    ['--vm', 'web', '--vm', 'a=unix:/a', '--vm', 'a=unix:/b'],
    ['vm', 'vms.a'],
  ],
];

/** Rows of which nothing in the text is wrong. */
const ofTheMachine = new Set([
  ...['pictures where they cannot be', 'a group for pictures that is none', 'directories that cannot be'],
]);

const pathsIn = (stderr: string) =>
  stderr
    .trimEnd()
    .split('\n')
    .map((line) => /^([\w./-]+): \S/.exec(line)?.[1] ?? line);

describe('settings faults: a line each with its path, all at once, and exit 2, or 75 for what may pass', () => {
  it.each(table)('%s', async (name, file, flags, paths) => {
    const config = path.join(scene.directory(), 'settings.yaml');
    writeFileSync(config, JSON.stringify(file));
    const { status, stdout, stderr } = await qmpGateway(scene, ['serve', '--config', config, ...flags]);
    expect([status, stdout]).toEqual([ofTheMachine.has(name) ? 75 : 2, '']);
    expect(pathsIn(stderr).sort()).toEqual([...paths].sort());
    // An editor shows what a schema can say, and nothing else.
    const faultsOfShape = settingsType.read(file).faults.filter(({ beyondSchema }) => beyondSchema !== true);
    expect(schemaFaults(file).length > 0).toBe(faultsOfShape.length > 0);
  });

  it('are told by check-config too, and which key may have been meant', async () => {
    const config = path.join(scene.directory(), 'settings.yaml');
    writeFileSync(config, 'lisen: []\ntls: {cert: /nonexistent}\n');
    const [serve, check] = await Promise.all(
      ['serve', 'check-config'].map((subcommand) => qmpGateway(scene, [subcommand, '--config', config])),
    );
    expect(check).toEqual(serve);
    expect([check?.status, pathsIn(check?.stderr ?? '')]).toEqual([2, ['lisen', 'tls.key']]);
    expect(check?.stderr).toContain('did you mean listen');
  });

  it.each([
    [
      'a file that is not there',
      ['--config', missing],
      new RegExp(`^${missing}: cannot read the settings file: no such file or directory$`),
    ],
    ['a directory for a file', ['--config', '/tmp'], /^\/tmp: cannot read the settings file: it is a directory$/],
    ['a switch that is neither on nor off', [], /^QMPGW_ALLOW_HOST: must be true or false/],
  ])('%s', async (_, args, line) => {
    const environment: Record<string, string> = args.length === 0 ? { QMPGW_ALLOW_HOST: 'perhaps' } : {};
    const { status, stdout, stderr } = await qmpGateway(scene, ['serve', ...args], environment);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(line)]);
  });

  it.each([
    ['state', '0777'],
    ['state', '1777'],
    ['monitorSockets.dir', '0777'],
    ['monitorSockets.dir', '0703'],
    ['pictures.dir', '0777'],
  ])('a directory of %s that everybody may write to: mode %s', async (key, mode) => {
    const open = path.join(scene.directory(), 'open');
    mkdirSync(open);
    chmodSync(open, mode);
    const settings = key === 'state' ? { state: open } : { [key.replace('.dir', '')]: { dir: open } };
    const config = path.join(scene.directory(), 'settings.yaml');
    writeFileSync(config, JSON.stringify(settings));
    for (const subcommand of ['serve', 'check-config']) {
      const { status, stdout, stderr } = await qmpGateway(scene, [subcommand, '--config', config]);
      expect([status, stdout]).toEqual([subcommand === 'serve' ? 75 : 2, '']);
      expect(stderr).toMatch(
        new RegExp(`^${key}: ${open} \\(mode ${mode}, owner \\d+, group \\d+\\): everybody may [^\n]*\n$`),
      );
    }
    expect(readdirSync(open)).toEqual([]);
  });

  it('names that everybody may take away: of the state, the audit log, a listener', async () => {
    const open = path.join(scene.directory(), 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const config = path.join(scene.directory(), 'settings.yaml');
    const settings = {
      state: path.join(open, 'state'),
      listen: [`unix:${path.join(open, 'http')}`],
      audit: { file: path.join(open, 'audit.log') },
    };
    writeFileSync(config, JSON.stringify(settings));
    const { status, stderr } = await qmpGateway(scene, ['serve', '--config', config]);
    expect([status, pathsIn(stderr).sort()]).toEqual([75, ['audit.file', 'listen.0', 'state']]);
    // The sticky bit keeps others from that.
    chmodSync(open, 0o1777);
    expect(await qmpGateway(scene, ['check-config', '--config', config])).toMatchObject({ status: 0 });
  });

  // Only root can give directories away.
  it.runIf(process.getuid?.() === 0)('directories of somebody else, which root may check for him', async () => {
    const [state, dir] = [path.join(scene.directory(), 'state'), path.join(scene.directory(), 'monitors')];
    for (const directory of [state, dir]) {
      mkdirSync(directory, { mode: 0o700 });
      chownSync(directory, 65_534, 65_534);
    }
    const config = path.join(scene.directory(), 'settings.yaml');
    writeFileSync(config, JSON.stringify({ state, monitorSockets: { dir } }));
    const { status, stderr } = await qmpGateway(scene, ['serve', '--config', config]);
    expect([status, stderr.trimEnd().split('\n').sort()]).toEqual([
      75,
      [
        `monitorSockets.dir: ${dir} (mode 0700, owner 65534, group 65534): it belongs to another user`,
        `state: ${state} (mode 0700, owner 65534, group 65534): it belongs to another user`,
      ],
    ]);
    expect(await qmpGateway(scene, ['check-config', '--config', config])).toMatchObject({ status: 0 });
    const made = await qmpGateway(scene, ['token', 'create', '--state', state, '--level', 'read']);
    expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/^qmpgw_/) as string });
  });

  it("patterns that find the gateway's own sockets, by a link too", async () => {
    const directory = scene.directory();
    mkdirSync(path.join(directory, 'real'), { mode: 0o700 });
    symlinkSync('real', path.join(directory, 'link'));
    const config = path.join(scene.directory(), 'settings.yaml');
    const settings = {
      discover: [
        { qmp: path.join(directory, 'link', '{id}.sock') },
        { qmp: path.join(directory, '{dir}', '{id}.sock') },
      ],
      listen: [`unix:${path.join(directory, 'real', 'http.sock')}`],
      monitorSockets: { dir: path.join(directory, 'real') },
    };
    writeFileSync(config, JSON.stringify(settings));
    const { status, stderr } = await qmpGateway(scene, ['serve', '--config', config]);
    expect(status).toBe(2);
    expect(pathsIn(stderr).sort()).toEqual(
      ['discover.0.qmp', 'discover.0.qmp', 'discover.1.qmp', 'discover.1.qmp'].sort(),
    );
  });

  it('a file that is no YAML, at its line', async () => {
    const config = path.join(scene.directory(), 'settings.yaml');
    writeFileSync(config, 'listen:\n  - "127.0.0.1:0\n');
    const { status, stderr } = await qmpGateway(scene, ['serve', '--config', config]);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^[^\n]*settings\.yaml: not YAML: [^\n]* line \d+[^\n]*\n$/),
    ]);
  });

  it.each(['', ' \n'])('a file that is empty, as an editor leaves it for a moment: %j', async (content) => {
    const config = path.join(scene.directory(), 'settings.yaml');
    writeFileSync(config, content);
    const { status, stderr } = await qmpGateway(scene, ['serve', '--config', config]);
    expect([status, stderr]).toEqual([2, `${config}: the settings file is empty; one without settings holds {}\n`]);
  });

  it('a root token that cannot be written, and makes none that nobody knows', async () => {
    const state = scene.directory();
    const token = path.join(state, 'root.token');
    mkdirSync(token);
    const { status, stderr } = await qmpGateway(scene, ['serve', '--listen', '127.0.0.1:0', '--state', state]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^state: cannot write [^\n]*root\.token: [^\n]*\n$/)]);
    rmdirSync(token);
    const gateway = await scene.gateway({ state });
    expect((await gateway.fetch('/v1/tokens')).status).toBe(200);
  });

  it('every address that it cannot listen on, and why', async () => {
    const other = scene.keep(createServer(), (server) => server.close());
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const socket = path.join(scene.directory(), 'gw.sock');
    const onSocket = scene.keep(createServer(), (server) => server.close());
    onSocket.listen(socket);
    await once(onSocket, 'listening');
    const listen = [`127.0.0.1:${port}`, '127.0.0.1:0', `unix:${socket}`, '192.0.2.1:0'];
    const { status, stderr } = await qmpGateway(scene, [
      'serve',
      ...listen.flatMap((address) => ['--listen', address]),
      ...['--state', path.join(scene.directory(), 'state'), '--log-level', 'silent'],
    ]);
    expect([status, stderr.split('\n')]).toEqual([
      75,
      [
        `listen.0: cannot listen on 127.0.0.1:${port}: the address is already in use`,
        `listen.2: cannot listen on unix:${socket}: the address is already in use`,
        'listen.3: cannot listen on 192.0.2.1:0: this machine does not have that address',
        '',
      ],
    ]);
  });

  it.each(['tokens.json', 'vms.json'])('a damaged %s', async (name) => {
    const state = path.join(scene.directory(), 'state');
    mkdirSync(state);
    writeFileSync(path.join(state, name), '{"half":');
    const { status, stderr } = await qmpGateway(scene, ['serve', '--state', state, '--listen', '127.0.0.1:0']);
    expect([status, stderr]).toEqual([2, expect.stringMatching(new RegExp(`^state: \\S*${name} is not [^\\n]*\\n$`))]);
  });

  it('a state directory that is a loop of links', async () => {
    const state = path.join(scene.directory(), 'state');
    symlinkSync('state', state);
    const { status, stderr } = await qmpGateway(scene, ['serve', '--state', state, '--listen', '127.0.0.1:0']);
    expect([status, stderr]).toEqual([75, expect.stringMatching(/^state: [^\n]*\n$/)]);
  });

  it('a state directory of another gateway that runs; free when that one was killed', async () => {
    const first = await scene.gateway();
    const serve = ['serve', '--state', first.state, '--listen', '127.0.0.1:0'];
    const { status, stderr } = await qmpGateway(scene, serve);
    const told = /^state: \S+ is the state directory of another gateway that runs: end that one first, [^\n]*\n$/;
    expect([status, stderr]).toEqual([75, expect.stringMatching(told)]);
    expect((await first.fetch('/v1/vms')).status).toBe(200);
    first.process.kill('SIGKILL');
    await first.ended;
    const next = await scene.gateway({ state: first.state });
    expect((await next.fetch('/v1/vms')).status).toBe(200);
  });
});
