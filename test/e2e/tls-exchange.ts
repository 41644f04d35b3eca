import { request, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface SecureExchange {
  readonly status: number;
  readonly json: Record<string, unknown>;
  readonly protocol: string | null;
  /** Fingerprint of the server's certificate. */
  readonly fingerprint: string;
}

/** One HTTPS request on a connection of its own. */
export function secureExchange(url: string, options: RequestOptions = {}): Promise<SecureExchange> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, ...options }, (response) => {
      const socket = response.socket as TLSSocket;
      // Of no interest once the connection has ended.
      const { fingerprint256: fingerprint } = socket.getPeerCertificate();
      const protocol = socket.getProtocol();
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const json = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
        resolve({ status: response.statusCode ?? 0, json, protocol, fingerprint });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
