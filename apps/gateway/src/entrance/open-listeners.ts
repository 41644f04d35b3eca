import { createServer as createHttpServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Settings } from '../settings/settings.js';
import { Listener } from './listener.js';
import { keepAliveMs } from '../http/one-piece-answer.js';
import type { OpenConnections } from '../http/open-connections.js';
import { loadTlsMaterial, type TlsMaterial } from './tls-material.js';

/** All listeners as a dependency. */
export const ListenersToken = Symbol('listeners');

const options: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // How often Node looks whether those two are over; left alone, every 30 s.
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: keepAliveMs,
  // The front door answers for a missing one.
  requireHostHeader: false,
};
const handshakeTimeoutMs = 10_000;

/**
 * A listener for each address of the settings, not yet listening: tcp ones speak TLS when there is a certificate.
 * @throws SettingsError for a certificate that can't be used
 */
export function makeListeners(settings: Pick<Settings, 'listen' | 'tls'>, connections: OpenConnections): Listener[] {
  const { tls } = settings;
  const material = tls === undefined ? undefined : loadTlsMaterial(tls);
  return settings.listen.map((address) => {
    const secured = address.kind === 'tcp' ? material : undefined;
    const server = secured === undefined ? createHttpServer(options) : createTlsServer(secured, tls?.clientCa);
    connections.watch(server);
    return new Listener(address, server, secured?.names);
  });
}

/** Gives the listeners the certificate as its files are now; connections that are open keep theirs. @throws SettingsError; nothing is changed then */
export function renewCertificates(listeners: readonly Listener[], { tls }: Pick<Settings, 'tls'>): void {
  if (tls === undefined) return;
  const material = loadTlsMaterial(tls);
  for (const listener of listeners) listener.renew(material);
}

/** Client certificates are asked for, not demanded: who shows none may have a token. What they are worth is the authenticator's to say. */
function createTlsServer({ context }: TlsMaterial, clientCa: string | undefined): Server {
  const server = createHttpsServer({
    ...options,
    ...context,
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: clientCa !== undefined,
    rejectUnauthorized: false,
  });
  // Whoever breaks the handshake off is no fault of ours.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}
