import { systemClock, type Clock } from '@qmp-gateway/qmp';
import type { IncomingMessage } from 'node:http';
import { TLSSocket, type PeerCertificate } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { Problem } from '../../problems/problem.js';
import { subjectAttributes, type ClientCertificate } from '../../settings/access-settings.js';
import { Principal } from '../principal.js';

/** Maps the certificate of a TLS client to a principal, by its whole subject. */
export class ClientCertificates {
  #bySubject: ReadonlyMap<string, ClientCertificate> = new Map();
  /** A connection presents its certificate once, when it is made. */
  #ofConnections = new WeakMap<TLSSocket, Principal | Problem>();

  constructor(
    entries: readonly ClientCertificate[],
    private readonly clock: Clock = systemClock,
  ) {
    this.replace(entries);
  }

  /** Replaces the entries, also for open connections; principals of unchanged entries stay the same. */
  replace(entries: readonly ClientCertificate[]): void {
    const before = this.#bySubject;
    this.#bySubject = new Map(
      entries.map((entry) => {
        const key = keyOf(subjectAttributes(entry.subject) ?? []);
        const known = before.get(key);
        return [key, isDeepStrictEqual(known, entry) && known !== undefined ? known : entry];
      }),
    );
    this.#ofConnections = new WeakMap();
  }

  /** Undefined if the client has presented no certificate, or no entry of the settings could match. */
  authenticate({ socket }: Pick<IncomingMessage, 'socket'>): Principal | Problem | undefined {
    if (this.#bySubject.size === 0 || !(socket instanceof TLSSocket)) return undefined;
    let known = this.#ofConnections.get(socket);
    if (known === undefined) {
      const found = this.#identify(socket);
      if (found === undefined) return undefined;
      known = found;
      this.#ofConnections.set(socket, known);
    }
    if (known instanceof Problem || known.stillValid()) return known;
    return new Problem('unauthenticated', 'The client certificate has expired.');
  }

  #identify(socket: TLSSocket): Principal | Problem | undefined {
    // Empty if there is none, despite the types.
    const certificate = socket.getPeerCertificate() as Partial<PeerCertificate>;
    if (certificate.subject === undefined) return undefined;
    if (!socket.authorized)
      return new Problem(
        'unauthenticated',
        `The client certificate is not trusted: ${String(socket.authorizationError)}.`,
      );
    const attributes = attributesOf(certificate.subject);
    const shown = attributes.join(',');
    const key = keyOf(attributes);
    const entry = this.#bySubject.get(key);
    if (entry === undefined)
      return new Problem(
        'unauthenticated',
        `No entry of clientCertificates has the subject ${JSON.stringify(shown.slice(0, 300))}.`,
      );
    const expires = Date.parse(certificate.valid_to ?? '');
    const { level, vms } = entry;
    const stillValid = () => this.clock.wall() < expires && this.#bySubject.get(key) === entry;
    return new Principal(`certificate:${shown}`, shown, { level, vms }, { stillValid, expires });
  }
}

function attributesOf(subject: PeerCertificate['subject']): string[] {
  return Object.entries(subject as unknown as Record<string, string | string[]>)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((text) => `${name}=${text}`))
    .sort();
}

/** Escapes the text, so that one attribute cannot look like two. */
function keyOf(attributes: readonly string[]): string {
  return JSON.stringify(attributes);
}
