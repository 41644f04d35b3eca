import type { WebSocketConstructor } from '@qmp-gateway/client';
import { WebSocket } from 'ws';
import type { GatewayAddress } from './gateway-address.js';
import type { HttpTrace, ClientTls } from './node-transport.js';

/** WebSockets over what `nodeFetch` speaks over; Node.js 20 has none of its own. */
export function nodeWebSocket(
  address: GatewayAddress,
  tls: ClientTls,
  trace: HttpTrace | undefined,
): WebSocketConstructor {
  class GatewaySocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      trace?.(`> GET ${url} (WebSocket ${protocols.filter((name) => !name.startsWith('bearer.')).join(', ')})`);
      super(overSocket(url, address.socketPath), protocols, { ...tls, perMessageDeflate: false });
      this.on('close', (code: number, reason: Buffer) => trace?.(`< WebSocket closed, ${code} ${reason.toString()}`));
    }
  }
  return GatewaySocket;
}

/** The address by which `ws` finds a unix socket. */
function overSocket(url: string, socketPath: string | undefined): string {
  if (socketPath === undefined) return url;
  const { pathname, search } = new URL(url);
  return `ws+unix:${socketPath}:${pathname}${search}`;
}
