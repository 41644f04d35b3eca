/** The blocks of docs/reverse-proxies.md as running programs. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { request, type RequestOptions } from 'node:https';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificates, type Scene } from '@qmp-gateway/test-kit';
import { expect } from 'vitest';
import { blocksOf } from './documented-commands.js';
import type { GatewayProcess } from './gateway-process.js';

/** What the pages call the gateway. */
export const publicName = 'gw.example.org';
const {
  ca: { cert: ca },
  server: certificate,
} = makeCertificates();

const blockOf = (language: string) =>
  blocksOf('docs/reverse-proxies.md').find((block) => block.language === language)?.text ?? '';

export interface Proxy {
  readonly program: string;
  /** Its files, and the arguments it is started with. */
  prepare(directory: string, port: number, gatewayPort: string): string[];
}

/** Replaces what stands in the page once. */
function placed(block: string, replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((so, [what, by]) => {
    expect(so).toContain(what);
    return so.replace(what, by);
  }, block);
}

function certificateFiles(directory: string): { readonly cert: string; readonly key: string } {
  const files = { cert: path.join(directory, 'cert.pem'), key: path.join(directory, 'key.pem') };
  writeFileSync(files.cert, certificate.cert);
  writeFileSync(files.key, certificate.key);
  return files;
}

/** @param changes of the page's block, beside addresses and files */
export const nginx = (changes: readonly (readonly [string, string])[] = []): Proxy => ({
  program: 'nginx',
  prepare(directory, port, gatewayPort) {
    const { cert, key } = certificateFiles(directory);
    const block = placed(blockOf('nginx'), [
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['127.0.0.1:8080', `127.0.0.1:${gatewayPort}`],
      ['/etc/ssl/gw.example.org.pem', cert],
      ['/etc/ssl/gw.example.org.key', key],
      ...changes,
    ]);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (what) => `${what}_temp_path ${directory}/${what};`,
    );
    const file = path.join(directory, 'nginx.conf');
    const head = `daemon off; master_process off; pid ${directory}/pid; error_log stderr;\nevents {}\n`;
    writeFileSync(file, `${head}http { access_log off; ${temporary.join(' ')}\n${block}}\n`);
    return ['-c', file, '-e', 'stderr', '-p', directory];
  },
});

export const haproxy: Proxy = {
  program: 'haproxy',
  prepare(directory, port, gatewayPort) {
    const both = path.join(directory, 'both.pem');
    writeFileSync(both, certificate.cert + certificate.key);
    const file = path.join(directory, 'haproxy.cfg');
    const block = placed(blockOf('haproxy'), [
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['/etc/ssl/gw.example.org.pem-and-key', both],
      ['127.0.0.1:8080', `127.0.0.1:${gatewayPort}`],
    ]);
    writeFileSync(file, block);
    return ['-db', '-f', file];
  },
};

export const caddy: Proxy = {
  program: 'caddy',
  prepare(directory, port, gatewayPort) {
    const { cert, key } = certificateFiles(directory);
    const block = placed(blockOf('caddy'), [
      // In place of the one that it would get.
      ['gw.example.org {\n', `gw.example.org {\n  bind 127.0.0.1\n  tls ${cert} ${key}\n`],
      ['127.0.0.1:8080', `127.0.0.1:${gatewayPort}`],
    ]);
    const file = path.join(directory, 'Caddyfile');
    const options = ['admin off', 'auto_https off', 'grace_period 1s', `https_port ${port}`];
    writeFileSync(file, `{\n${options.join('\n')}\nstorage file_system ${directory}\n}\n${block}`);
    return ['run', '--config', file, '--adapter', 'caddyfile'];
  },
};

/** A port that is free now; the proxy's is in its files and in the settings of the gateway. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A way through a proxy. */
export interface Front {
  readonly target: RequestOptions;
  readonly ask: (
    resource: string,
    init?: { method?: string; body?: string; headers?: Readonly<Record<string, string>> },
  ) => Promise<IncomingMessage>;
}

/** What proxies stand before. */
type Upstream = Pick<GatewayProcess, 'url' | 'token'>;

/** A proxy in front of the gateway, as soon as it answers at `alive`. It ends with the scene. */
export async function before(
  scene: Scene,
  gateway: Upstream,
  proxy: Proxy,
  { port, alive = '/livez' }: { readonly port?: number; readonly alive?: string } = {},
): Promise<Front> {
  const [directory, at] = [scene.directory(), port ?? (await freePort())];
  const files = proxy.prepare(directory, at, new URL(gateway.url).port);
  // Where Caddy keeps its last configuration.
  const env = { ...process.env, XDG_CONFIG_HOME: directory };
  const child = spawn(proxy.program, files, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const said = text(child.stderr);
  const ended = once(child, 'close');
  scene.keep(child, async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const target: RequestOptions = { host: '127.0.0.1', port: at, servername: 'localhost', ca };
  const ask: Front['ask'] = async (resource, { method = 'GET', body, headers } = {}) => {
    const sent = request({
      ...{ ...target, path: resource, method },
      headers: {
        ...{ Host: publicName, Authorization: `Bearer ${gateway.token ?? ''}` },
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
    }).end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  };
  for (;;) {
    const status = await ask(alive).then(
      (answer) => answer.resume().statusCode,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
        return 0;
      },
    );
    if (status === 200) return { target, ask };
    if (child.exitCode !== null) throw new Error(await said);
    await delay(50);
  }
}

/** Those of these that are installed; says which are not. */
export function installed(proxies: readonly Proxy[]): Proxy[] {
  const isThere = ({ program }: Proxy) => spawnSync(program, ['-v'], { stdio: 'ignore' }).error === undefined;
  const missing = proxies.filter((proxy) => !isThere(proxy)).map(({ program }) => program);
  if (missing.length > 0) process.stdout.write(`not tried, because it is not installed: ${missing.join(', ')}\n`);
  return proxies.filter(isThere);
}
