import { holdFile, isExposed, parseEndpoint, type Clock, type Endpoint, type HeldFile } from '@qmp-gateway/qmp';
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isAbsolute } from 'node:path';
import type { VmDefinition } from '../settings/vm-definition.js';
import { monitorOwner } from '../vms/monitor-owner.js';
import { canBeFollowed, isAnyHost, isLoopback, plainAddress, type VncAddress, type VncServer } from './vnc-servers.js';

/** Where the gateway connects to. */
export type DisplayAddress =
  | { readonly kind: 'unix'; readonly path: string; readonly owner: number | undefined }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** A display's address, or why the gateway cannot use it; without paths, which not everybody may see. */
export type Reach = { readonly address: DisplayAddress } | { readonly reason: string };

const dialMs = 5000;
const redialMs = 50;

/**
 * Where the display of a VM is reached. The VM tells the address, and may be hostile: it must not lead to a socket that
 * its own user could not open, nor to another host.
 *
 * @param own the socket that the gateway has the VM open
 */
export function reachOf(
  server: VncServer,
  definition: Pick<VmDefinition, 'endpoint' | 'insecure'>,
  own: string,
): Reach {
  if (!canBeFollowed(server))
    return refused(
      `Its security is ${server.auth}, which encrypts RFB itself: the gateway could not tell looking from typing. Use a unix socket, with password=on or without.`,
    );
  const address = plainAddress(server);
  if (address === undefined)
    return refused(
      server.addresses.length === 0
        ? 'It has no address, as after -vnc none. POST to it opens one.'
        : 'It has only addresses that the gateway does not use.',
    );
  const endpoint = parseEndpoint(definition.endpoint);
  return address.family === 'unix'
    ? unixReach(address.service, endpoint, own)
    : tcpReach(address, endpoint, definition.insecure === true);
}

function refused(reason: string): Reach {
  return { reason };
}

function unixReach(path: string, endpoint: Endpoint, own: string): Reach {
  if (endpoint.kind !== 'unix' && endpoint.kind !== 'listen-unix')
    return refused('It is a unix socket of another host: the gateway has the monitor of this VM over the network.');
  if (!isAbsolute(path)) return refused('It is a unix socket with a relative path, which only QEMU itself can find.');
  const address: DisplayAddress = { kind: 'unix', path, owner: path === own ? undefined : ownerOf(endpoint) };
  try {
    hold(address).release();
  } catch (error) {
    return refused(unreachable(error as NodeJS.ErrnoException));
  }
  return { address };
}

/** Whose sockets the VM may name: those of the user that has its monitor. Undefined: it can't be told, and fits none. */
function ownerOf(endpoint: Extract<Endpoint, { path: string }>): number | undefined {
  if (endpoint.kind === 'listen-unix') return process.getuid?.() ?? -1;
  return monitorOwner(endpoint.path) ?? -1;
}

/** @throws Error when there is no socket, or it belongs to somebody else */
function hold({ path, owner }: Extract<DisplayAddress, { kind: 'unix' }>): HeldFile {
  const held = holdFile(path);
  const { status } = held;
  if (status.isSocket() && (owner === undefined || status.uid === owner)) return held;
  held.release();
  throw Object.assign(new Error('not a socket of the VM'), { code: status.isSocket() ? 'EOWNER' : 'ENOTSOCK' });
}

function unreachable({ code = '' }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT')
    return 'QEMU has a unix socket for it that the gateway does not see: another file system, or removed.';
  if (code === 'EACCES' || code === 'EPERM') return 'The gateway may not use the unix socket that QEMU has for it.';
  if (code === 'EOWNER') return 'Its unix socket belongs to another user than the monitor of the VM.';
  return `The gateway cannot use the unix socket that QEMU has for it (${code}).`;
}

function tcpReach({ host, service, family }: VncAddress, endpoint: Endpoint, insecure: boolean): Reach {
  const port = Number(service);
  if (!/^\d{1,5}$/.test(service) || port > 65_535) return refused('Its port is no number.');
  if (endpoint.kind === 'unix' || endpoint.kind === 'listen-unix') {
    if (isAnyHost(host)) return { address: { kind: 'tcp', host: family === 'ipv6' ? '::1' : '127.0.0.1', port } };
    if (isLoopback(host) || isOwnHost(host)) return { address: { kind: 'tcp', host, port } };
    return refused('It is at another host than the VM.');
  }
  if (endpoint.kind === 'listen-tls' || (!isAnyHost(host) && host !== endpoint.host))
    return refused('It is not at the host of the VM’s endpoint.');
  const address = { kind: 'tcp', host: endpoint.host, port } as const;
  if (isExposed(address) && !insecure)
    return refused('It is reached over the network without encryption, which needs `insecure: true` for this VM.');
  return { address };
}

function isOwnHost(host: string): boolean {
  return Object.values(networkInterfaces()).some((addresses = []) => addresses.some(({ address }) => address === host));
}

/**
 * Connects, to the very socket that was checked; it is paused. QEMU lets only one or two clients wait to be accepted: whoever finds no
 * room there asks again.
 * @param onread where its bytes are read to; absent: `data` events
 * @throws Error when there is no connection within 5 s
 */
export async function dialDisplay(address: DisplayAddress, clock: Clock, onread?: OnReadOpts): Promise<Socket> {
  const until = clock.now() + dialMs;
  for (;;)
    try {
      return await dialOnce(address, { clock, ms: until - clock.now(), onread });
    } catch (error) {
      if (!isBacklogFull(error) || clock.now() + redialMs > until) throw error;
      await new Promise<void>((resolve) => clock.schedule(redialMs, resolve));
    }
}

function isBacklogFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}

interface Dial {
  readonly clock: Clock;
  readonly ms: number;
  readonly onread: OnReadOpts | undefined;
}

function dialOnce(address: DisplayAddress, { clock, ms, onread }: Dial): Promise<Socket> {
  const held = address.kind === 'unix' ? hold(address) : undefined;
  const where =
    held === undefined ? { ...(address as { host: string; port: number }), noDelay: true } : { path: held.path };
  const socket = connect({ ...where, ...(onread === undefined ? {} : { onread }) }).pause();
  // The address was resolved by then.
  held?.release();
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      late.cancel();
      socket.destroy();
      reject(error);
    };
    const late = clock.schedule(ms, () => fail(new Error(`no connection within ${dialMs / 1000} s`)));
    socket.once('error', fail);
    socket.once('connect', () => {
      late.cancel();
      socket.off('error', fail);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
