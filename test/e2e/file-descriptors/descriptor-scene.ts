import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineReader, type Qemu } from '@qmp-gateway/test-kit';
import { Descriptor, DescriptorChannel, missingReason } from '@qmp-gateway/unix-fds';
import { expect } from 'vitest';
import { FaultScene } from '../fault-scene.js';
import type { GatewayOptions, GatewayProcess } from '../gateway-process.js';
import { exchange, type Exchange } from '../http-exchange.js';

/** `nobody`, which owns nothing. */
const otherUser = 65_534;
const build = fileURLToPath(new URL('../../../libs/unix-fds/build.mjs', import.meta.url));

/** Builds the addon where that was not done. It needs a C compiler and the headers of Node.js. */
export function buildAddon(): void {
  execFileSync(process.execPath, [build, '--if-needed'], { stdio: 'pipe' });
  expect(missingReason()).toBeUndefined();
}

/** Numbers of open files of a gateway that are not sockets of clients, which come and go. */
export function openFiles({ process: { pid } }: GatewayProcess): number {
  return readdirSync(`/proc/${pid ?? ''}/fd`).length;
}

/** A value of the gateway's metrics. */
export async function metric(gateway: GatewayProcess, series: string): Promise<number> {
  const { text } = await exchange(gateway, '/metrics');
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1) ?? NaN,
  );
}

export const passed = (gateway: GatewayProcess, outcome = 'passed') =>
  metric(gateway, `qmpgw_descriptors_total{outcome="${outcome}"}`);

export function postFd(gateway: GatewayProcess, vm: string, body: object): Promise<Exchange> {
  return exchange(gateway, `/v1/vms/${vm}/fds`, { method: 'POST', body: JSON.stringify(body) });
}

/** What the gateway says that the VM has. */
export async function knownFds(gateway: GatewayProcess, vm: string): Promise<unknown> {
  return (await exchange(gateway, `/v1/vms/${vm}/fds`)).json()['fds'];
}

/** What an operation says of the descriptors that it passed. */
export async function descriptorsOf(gateway: GatewayProcess, vm: string, operation: string): Promise<unknown> {
  return (await exchange(gateway, `/v1/vms/${vm}/operations/${operation}`)).json()['descriptors'];
}

/** Files that only this user may reach, and VMs of another user. */
export class DescriptorScene extends FaultScene {
  /** A directory that nobody else may enter, with a file of this size. */
  image(bytes = 1024 * 1024): string {
    const file = path.join(this.directory(), 'image');
    writeFileSync(file, Buffer.alloc(bytes), { mode: 0o600 });
    return file;
  }

  /** A QEMU of `nobody`. */
  qemuOfNobody(args: readonly string[] = []): Promise<Qemu> {
    const wrapper = path.join(this.directory(), 'qemu-of-nobody');
    const ids = `--reuid=${otherUser} --regid=${otherUser} --clear-groups`;
    writeFileSync(wrapper, `#!/bin/sh\nexec setpriv ${ids} -- qemu-system-x86_64 "$@"\n`);
    chmodSync(wrapper, 0o700);
    const directory = this.directory();
    chownSync(directory, otherUser, otherUser);
    return this.qemu({ binary: wrapper, directory, args });
  }

  /** A gateway with shared monitors of level `host`, as unix sockets. */
  async sharing(options: GatewayOptions = {}): Promise<{ gateway: GatewayProcess; socketOf: (vm: string) => string }> {
    const dir = path.join(this.directory(), 'monitors');
    const gateway = await this.gateway({
      ...options,
      settings: { monitorSockets: { dir, level: 'host' }, ...options.settings },
    });
    return { gateway, socketOf: (vm) => path.join(dir, `${vm}.sock`) };
  }

  /** A client that is connected and has negotiated. */
  async client(socketPath: string): Promise<DescriptorClient> {
    const socket = connect(socketPath);
    this.keep(socket, (one) => one.destroy());
    await once(socket, 'connect');
    const client = new DescriptorClient(socket);
    await client.line();
    await client.ask('{"execute":"qmp_capabilities"}');
    return client;
  }
}

/** A QMP client that can send descriptors. */
export class DescriptorClient {
  readonly #lines: LineReader;

  constructor(readonly socket: Socket) {
    this.#lines = new LineReader(socket);
  }

  /** Sends bytes with these descriptors, which are closed here. */
  async send(text: string, descriptors: readonly Descriptor[] = []): Promise<void> {
    const channel = DescriptorChannel.beside(this.socket);
    const failure = await new Promise((resolve) => channel.send(Buffer.from(text), descriptors, resolve));
    for (const descriptor of new Set(descriptors)) descriptor.close();
    channel.close();
    expect(failure).toBeNull();
  }

  async line(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.#lines.next()) ?? 'null') as Record<string, unknown>;
  }

  /** The reply; events in between are passed over. */
  async ask(text: string, descriptors: readonly Descriptor[] = []): Promise<Record<string, unknown>> {
    await this.send(`${text}\r\n`, descriptors);
    for (;;) {
      const message = await this.line();
      if (!('event' in message)) return message;
    }
  }
}

/** A descriptor of a file. */
export const opened = (file: string, flags = 'r'): Descriptor => new Descriptor(openSync(file, flags));
