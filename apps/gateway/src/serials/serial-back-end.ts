/** What is behind a character device of a VM, by its `filename` of `query-chardev`. */
export type SerialBackEnd =
  | { readonly kind: 'socket'; readonly path: string; readonly held: boolean }
  | { readonly kind: 'pty'; readonly path: string }
  | { readonly kind: 'ringbuf' }
  /** One that the gateway cannot attach to. */
  | { readonly kind: 'socket'; readonly reason: string }
  | { readonly kind: 'none'; readonly called: string };

const server = /,server(?:=on)?$/;
const listens = /^(?:tcp|telnet|tn3270|websocket|tls|wss|vsock|fd):/;

/**
 * Reads `unix:/path,server=on` (`,server` alone before QEMU 6.0), with `disconnected:` in front while no client is there;
 * `pty:/dev/pts/0`; `ringbuf`. A path may contain commas and colons: only the end is an option.
 */
export function readBackEnd(filename: string): SerialBackEnd {
  const held = !filename.startsWith('disconnected:');
  const address = held ? filename : filename.slice('disconnected:'.length);
  if (address.startsWith('unix:')) return unixBackEnd(address.slice('unix:'.length), held);
  if (address.startsWith('pty:')) return { kind: 'pty', path: address.slice('pty:'.length) };
  if (address === 'ringbuf' || address === 'memory') return { kind: 'ringbuf' };
  if (listens.test(address))
    return {
      kind: 'socket',
      reason: 'It is no unix socket. The gateway attaches to unix sockets, ptys and ring buffers only.',
    };
  return { kind: 'none', called: /^[a-z0-9-]{1,32}/.exec(address)?.[0] ?? 'another kind' };
}

function unixBackEnd(address: string, held: boolean): SerialBackEnd {
  if (!server.test(address))
    return { kind: 'socket', reason: 'QEMU is the client of this socket, not its server (server=off).' };
  const path = address.replace(server, '');
  if (/,abstract=on(?:,tight=on)?$/.test(path))
    return { kind: 'socket', reason: 'Its socket is in the abstract namespace, where nobody owns a name.' };
  return { kind: 'socket', path, held };
}
