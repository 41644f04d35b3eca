import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RunningDemo, widest } from './running-demo.js';
import { expectScreenInBrowser } from './screen-in-browser.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the demo', () => {
  it('prints curl lines that work as printed, and leaves nothing behind', async () => {
    const demo = await RunningDemo.start('scripts/demo.js');
    try {
      expect(demo.curls.length).toBeGreaterThanOrEqual(8);
      expect(demo.exports).toHaveLength(2);
      expect(demo.clients.length).toBeGreaterThanOrEqual(2);
      for (const curl of demo.curls) {
        expect(await demo.paste(curl)).toMatchObject({
          line: curl,
          status: expect.stringMatching(/^2\d\d$/) as string,
        });
        expect(curl.length, curl).toBeLessThanOrEqual(widest);
      }
      for (const line of demo.clients) {
        const printed = expect.stringMatching(/demo-1|qmpctl/) as string;
        expect([line, await demo.call(line)]).toEqual([line, { status: 0, printed }]);
      }
      const [, token = '', url = ''] = /Bearer (\S+)' GW=(\S+)/.exec(demo.lines.join('\n')) ?? [];
      await expectScreenInBrowser(url, token, 'demo-1');

      expect(demo.started).toHaveLength(3);
      expect(existsSync(demo.directory)).toBe(true);
      expect(await demo.interrupt()).toEqual({ status: 0, left: [] });
    } finally {
      await demo.end();
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
