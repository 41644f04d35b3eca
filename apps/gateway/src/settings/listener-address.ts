import type { RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import type { CommandClass } from '@qmp-gateway/catalog';

/** Where the gateway listens. */
export type ListenerAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'unix';
      readonly path: string;
      /** Permission bits of the socket file. */
      readonly mode?: number;
      readonly group?: string;
      /** Everyone who can open the socket has this level, without credentials. */
      readonly level?: CommandClass;
    };

/** `sun_path` holds 108 bytes with its final NUL. Node silently truncates longer paths. */
export const maxSocketPathBytes = 107;

/**
 * Reads `host:port` (IPv6 in brackets) or `unix:/path`.
 * @returns the address, or in words what is wrong.
 */
export function parseListenerAddress(text: string): ListenerAddress | string {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return socketPathFault(path) ?? { kind: 'unix', path };
  }
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined) return `${JSON.stringify(text)} is neither host:port nor unix:/path`;
  if (port > 65535) return `${JSON.stringify(text)}: a port is at most 65535`;
  return { kind: 'tcp', host, port };
}

/** Where a client on this machine connects. An address of all interfaces is one to listen on only. */
export function placeToConnect(address: ListenerAddress): RequestOptions & { readonly host?: string } {
  if (address.kind === 'unix') return { socketPath: address.path };
  const loopback: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return { host: loopback[address.host] ?? address.host, port: address.port, agent: false };
}

/** What is wrong with a path as the address of a unix socket, or undefined. */
export function socketPathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return `the socket path ${JSON.stringify(path)} is not absolute`;
  const bytes = Buffer.byteLength(path);
  if (bytes > maxSocketPathBytes)
    return `the socket path is ${bytes} bytes long; the system allows at most ${maxSocketPathBytes}`;
  return undefined;
}

/** True when only this machine can reach the address. */
export function isLocal(address: ListenerAddress): boolean {
  if (address.kind === 'unix' || address.host === 'localhost') return true;
  const { host } = address;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1' || host.toLowerCase().startsWith('::ffff:127.');
}
