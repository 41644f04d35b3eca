import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { expectScreenInBrowser } from './screen-in-browser.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Longer lines wrap in a terminal. */
const widest = 120;

/** Runs a line as someone would paste it after `exported`; curl says the status at the end. A stream is left after a second. */
async function paste(exported: string, line: string): Promise<{ line: string; status: string; body: string }> {
  const streaming = line.includes('text/event-stream');
  const curl = `${line} -w '\\n%{http_code}'${streaming ? ' --max-time 1' : ''}`;
  const child = spawn('bash', ['-c', `${exported}\n${curl}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = await text(child.stdout);
  const end = output.lastIndexOf('\n');
  return { line, status: output.slice(end + 1), body: output.slice(0, end) };
}

/** The pids of processes started, directly or not, by this one. */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }];
      } catch {
        return []; // It ended meanwhile.
      }
    });
  const children = parents.filter(({ parent }) => parent === pid).map((entry) => entry.pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

describe('the demo', () => {
  it('prints curl lines that work as printed, and leaves nothing behind', async () => {
    const demo = spawn(process.execPath, ['scripts/demo.js'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => demo.once('exit', (code) => resolve(code)));
    try {
      const lines: string[] = [];
      for await (const line of createInterface({ input: demo.stdout })) {
        lines.push(line);
        if (line.startsWith('Ctrl-C')) break;
      }
      const curls = lines.filter((line) => line.startsWith('  curl ')).map((line) => line.trim());
      expect(curls.length).toBeGreaterThanOrEqual(8);
      const exports = lines.map((line) => line.trim()).filter((line) => line.startsWith('export '));
      expect(exports).toHaveLength(1);
      for (const curl of curls) {
        expect(await paste(exports[0] ?? '', curl)).toMatchObject({
          line: curl,
          status: expect.stringMatching(/^2\d\d$/) as string,
        });
        expect(curl.length, curl).toBeLessThanOrEqual(widest);
      }
      const [, token = '', url = ''] = /Bearer (\S+)' GW=(\S+)/.exec(lines.join('\n')) ?? [];
      await expectScreenInBrowser(url, token, 'demo-1');

      const started = descendants(demo.pid ?? 0);
      const directory = /path=(\S*)\/demo-1\.qmp/.exec(
        started.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1')).join('\n'),
      )?.[1];
      expect(started).toHaveLength(3);
      expect(existsSync(directory ?? '')).toBe(true);
      demo.kill('SIGINT');
      expect(await ended).toBe(0);
      expect(started.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
      expect(existsSync(directory ?? '')).toBe(false);
    } finally {
      demo.kill('SIGTERM');
      await ended;
    }
  });
});

describe('docker-compose.yml', () => {
  it('is a gateway and two VMs that share the directory of the monitors', () => {
    interface Service {
      command: string[];
      volumes: string[];
      build: string | { context: string; dockerfile: string };
    }
    const compose = parse(readFileSync(`${root}docker-compose.yml`, 'utf8')) as {
      services: Record<string, Service>;
      volumes: Record<string, unknown>;
    };
    const { gateway, ...vms } = compose.services;
    expect(Object.keys(vms)).toEqual(['demo-1', 'demo-2']);
    for (const [vm, { volumes, build }] of Object.entries(vms)) {
      expect(gateway?.command).toContain(`${vm}=unix:/run/qemu/${vm}.qmp`);
      const [name = '', inside] = volumes[0]?.split(':') ?? [];
      expect(inside).toBe('/run/qemu');
      expect(gateway?.volumes).toContain(`${name}:${inside}`);
      expect(Object.keys(compose.volumes)).toContain(name);
      if (typeof build === 'string') throw new Error('a demo VM has an image of its own');
      expect(existsSync(`${root}${build.context}/${build.dockerfile}`)).toBe(true);
    }
    expect(existsSync(`${root}Dockerfile`)).toBe(true);
  });
});
