import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayProcess } from '../gateway-process.js';
import { GatewayScene, registerVm } from '../gateway-scene.js';
import { clientHome, clientLauncher, inHome, runClient, type ClientHome } from './client-process.js';

const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;
let home: ClientHome;

beforeAll(async () => {
  gateway = await scene.gateway();
  vm = await registerVm(gateway, `unix:${(await scene.qemu({ machine: 'q35' })).socket}`);
  home = clientHome(scene, gateway);
});
afterAll(() => scene.end());

const after = async (line: string): Promise<string[]> => {
  const { status, stdout, stderr } = await runClient(scene, home, ['__complete', '--shell', 'fish', '--', line]);
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => text.split('\t')[0] ?? '');
};

describe('completion', () => {
  it('offers commands, options, ids, commands of the VM, its keys and values', async () => {
    expect(await after('qmpctl ev')).toEqual(['events']);
    expect(await after('qmpctl agent ')).toEqual(expect.arrayContaining(['exec', 'cp', 'run', 'info']));
    expect(await after('qmpctl vms --w')).toEqual(['--watch']);
    expect(await after('qmpctl vms -o js')).toEqual(['json', 'jsonl']);
    expect(await after('qmpctl exec ')).toEqual([vm]);
    expect(await after(`qmpctl exec ${vm} query-stat`)).toEqual(
      expect.arrayContaining(['query-status', 'query-stats']),
    );
    expect(await after(`qmpctl exec ${vm} qom-list p`)).toEqual(['path=']);
    expect(await after(`qmpctl exec ${vm} blockdev-add driver=qcow`)).toEqual(['driver=qcow', 'driver=qcow2']);
    expect(await after(`qmpctl exec 'vm-*' device_add driver=virtio-rng-`)).toEqual(
      expect.arrayContaining(['driver=virtio-rng-pci']),
    );
  });

  it('goes on from what it knows while the gateway is away, and is silent where it knows nothing', async () => {
    await after('qmpctl exec ');
    await after(`qmpctl exec ${vm} query-`);
    const away = { ...home.env, QMPGW_URL: 'http://127.0.0.1:1' };
    const silent = await runClient(scene, { ...home, env: away }, ['__complete', '--', 'qmpctl exec ']);
    expect(silent).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('works in bash, which breaks words at the equals sign', () => {
    writeFileSync(
      inHome(home, 'try.bash'),
      `qmpctl() { '${process.execPath}' '${clientLauncher}' "$@"; }
source <(qmpctl completion bash)
try() {
  COMP_LINE=$1 COMP_POINT=\${#1} COMPREPLY=()
  _qmpctl_complete 2>/dev/null
  printf '%s\\n' "\${COMPREPLY[@]}"
}
try 'qmpctl no'
try 'qmpctl exec ${vm} qom-list p'
try 'qmpctl exec ${vm} blockdev-add driver=qcow'
`,
    );
    const said = execFileSync('bash', [inHome(home, 'try.bash')], { env: home.env, cwd: home.directory }).toString();
    expect(said.trimEnd().split('\n')).toEqual(['nodes', 'path=', 'qcow', 'qcow2']);
  });

  describe('of what a hostile VM calls its devices', () => {
    // Commands of a shell, a pattern that every file matches, ends of quotes.
    const names = [
      'own-$(touch${IFS}taken)',
      'own-`touch taken`',
      'own-;touch taken;',
      `own-'\\";touch taken;`,
      'own-*',
    ];
    let hostile: string;
    beforeAll(async () => {
      const monitor = await scene.fake();
      const builtin = (name: string, type: string) => ({ name, 'meta-type': 'builtin', 'json-type': type });
      const command = (name: string, type = 'none') => ({
        ...{ name, 'meta-type': 'command', 'arg-type': type, 'ret-type': 'any' },
      });
      monitor.on('query-qmp-schema', () => ({
        return: [
          ...[builtin('any', 'value'), builtin('str', 'string'), { name: 'none', 'meta-type': 'object', members: [] }],
          { name: 'id', 'meta-type': 'object', members: [{ name: 'id', type: 'str' }] },
          ...[command('query-qmp-schema'), command('query-chardev'), command('chardev-remove', 'id')],
        ],
      }));
      const chardevs = names.map((label) => ({ label, filename: 'null', 'frontend-open': false }));
      monitor.on('query-chardev', () => ({ return: chardevs }));
      hostile = await registerVm(gateway, `unix:${(monitor.endpoint as { path: string }).path}`);
    });

    /** What Tab is told; a gateway that is busy is asked again, as people press Tab again. */
    const offered = async (shell: string, line: string): Promise<string> => {
      for (;;) {
        const { stdout } = await runClient(scene, home, ['__complete', '--shell', shell, '--', line]);
        if (stdout !== '') return stdout;
      }
    };

    it.each([
      ['bash', 'id='],
      ['zsh', ''],
    ])('is a word to %s, whatever is in it', async (shell, typed) => {
      writeFileSync(inHome(home, 'own-file'), '');
      const begun = `qmpctl exec ${hostile} chardev-remove `;
      const texts = (await offered(shell, `${begun}id=`)).trimEnd().split('\n');
      expect(texts).toHaveLength(names.length);
      for (const [at, text] of texts.entries()) {
        // The whole line, as the shell reads it when Enter is pressed.
        const script = `qmpctl() { printf '%s' "$4"; }\n${begun}${typed}${text}`;
        const said = execFileSync(shell, ['-c', script], { env: home.env, cwd: home.directory }).toString();
        expect([said, existsSync(inHome(home, 'taken'))]).toEqual([`id=${names[at]}`, false]);
      }
    });

    it('reaches bash as it is offered, one by one', async () => {
      writeFileSync(inHome(home, 'own-file'), '');
      writeFileSync(inHome(home, 'offered'), await offered('bash', `qmpctl exec ${hostile} chardev-remove id=own-`));
      const { stdout } = await runClient(scene, home, ['completion', 'bash']);
      const script = `qmpctl() { cat offered; }
${stdout}
COMP_LINE=x COMP_POINT=1
_qmpctl_complete
eval "printf '%s\\n' \${COMPREPLY[*]}"`;
      const said = execFileSync('bash', ['-c', script], { env: home.env, cwd: home.directory }).toString();
      expect([said.trimEnd().split('\n'), existsSync(inHome(home, 'taken'))]).toEqual([names, false]);
    });
  });

  it.each(['bash', 'zsh', 'fish'])('has a script for %s', async (shell) => {
    const { status, stdout } = await runClient(scene, home, ['completion', shell]);
    expect([status, stdout]).toEqual([0, expect.stringContaining(`qmpctl __complete --shell ${shell} -- `)]);
  });
});
