import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Problem } from '../problems/problem.js';

/** What the front door needs to know of the listener a request came in by. */
export interface Doorway {
  readonly kind: 'tcp' | 'unix';
  /** Port of a tcp listener, the real one. */
  readonly port?: number;
  readonly secure: boolean;
  /** DNS names in the listener's certificate, lower case; one may begin with `*.`. */
  readonly names?: readonly string[];
}

export interface BrowserRules {
  /** Names allowed in `Host` with any port, lower case. */
  readonly allowedHosts: readonly string[];
  /** Origins of pages that may use the API, exact. */
  readonly allowedOrigins: readonly string[];
}

const exposedHeaders = [
  'Server-Timing',
  'QMP-VM-Epoch',
  'QMP-Event-Cursor',
  'QMP-Operation',
  'X-Request-Id',
  'Idempotency-Replayed',
  'Preference-Applied',
  'Deprecation',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'ETag',
  'Location',
  'Allow',
  'WWW-Authenticate',
].join(', ');
const allowedHeaders = [
  'Authorization',
  'Content-Type',
  'Accept',
  'Request-Timeout',
  'Dry-Run',
  'Idempotency-Key',
  'QMP-VM-Epoch',
  'X-Request-Id',
  'Traceparent',
  'Tracestate',
  'Last-Event-ID',
  'If-None-Match',
  'Prefer',
].join(', ');

/** Of a request that no page of another origin sent. */
export const noCorsHeaders: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The checks before any credentials are looked at: is the request meant for this gateway (Host, against DNS rebinding)
 * and may the page that sends it do so (Origin and Fetch Metadata, against cross-site requests)?
 * Returns the CORS headers of the answer, or the problem.
 */
export function checkFrontDoor(
  request: IncomingMessage,
  door: Doorway,
  rules: BrowserRules,
): Readonly<Record<string, string>> | Problem {
  const host = request.headers.host;
  // Routers take the path out of a whole URL, whose host nobody has looked at.
  if (request.url?.startsWith('/') !== true && request.url !== '*')
    return new Problem('host-refused', 'The request target is a whole URL; this is no proxy.');
  if (door.kind === 'tcp') {
    const refusal = checkHost(request, host, door, rules);
    if (refusal !== undefined) return refusal;
  }
  const origin = request.headers.origin;
  const site = request.headers['sec-fetch-site'];
  if (origin === undefined && site === undefined) return noCorsHeaders;
  if (origin !== undefined && rules.allowedOrigins.includes(origin)) return corsHeaders(origin);
  if (origin !== undefined && !isSameOrigin(origin, host, door))
    return new Problem(
      'origin-refused',
      `Pages of ${describeOrigin(origin)} may not use this gateway (allowedOrigins).`,
    );
  if ((site === 'cross-site' || site === 'same-site') && !isTopLevelDocs(request))
    return new Problem('origin-refused', `The browser sent this for a page of another site (Sec-Fetch-Site: ${site}).`);
  return noCorsHeaders;
}

/** Answer headers of a preflight of an allowed origin. */
export function preflightHeaders(cors: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ...cors,
    'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    'Access-Control-Allow-Headers': allowedHeaders,
    'Access-Control-Max-Age': '600',
  };
}

function corsHeaders(origin: string): Record<string, string> {
  return { 'Access-Control-Allow-Origin': origin, Vary: 'Origin', 'Access-Control-Expose-Headers': exposedHeaders };
}

function checkHost(
  request: IncomingMessage,
  host: string | undefined,
  door: Doorway,
  rules: BrowserRules,
): Problem | undefined {
  let hosts = 0;
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (hosts > 1) return new Problem('host-refused', 'More than one Host header.');
  if (host === undefined) return isHealthCheck(request) ? undefined : new Problem('host-refused', 'No Host header.');
  const { name, port } = splitHost(host);
  if (rules.allowedHosts.includes(name)) return undefined;
  const known = name === 'localhost' || isIP(name) !== 0 || (door.names?.some((own) => isNamed(own, name)) ?? false);
  const expectedPort = door.port ?? (door.secure ? 443 : 80);
  if (known && (port ?? (door.secure ? 443 : 80)) === expectedPort) return undefined;
  if (isHealthCheck(request)) return undefined;
  return new Problem(
    'host-refused',
    `The Host header names ${JSON.stringify(host.slice(0, 200))}, which is none of this gateway's names (allowedHosts) with its port.`,
  );
}

/** Load balancers ask by address, by a name of their own, or in HTTP/1.0 by none; there is nothing to be learnt by it. */
function isHealthCheck({ method, url = '' }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && /^\/(?:livez|readyz)(?:\?|$)/.test(url);
}

/** A star is one label, as in RFC 6125 section 6.4.3. */
function isNamed(own: string, name: string): boolean {
  if (!own.startsWith('*.')) return own === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === own.slice(1);
}

/** Lower-case name without brackets or trailing dot, and the port if one is written. NaN for a port that is none. */
function splitHost(host: string): { name: string; port: number | undefined } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(host);
  if (match === null) return { name: '', port: NaN };
  const name = (match[1] ?? match[2] ?? '').toLowerCase().replace(/\.$/, '');
  return { name, port: match[3] === undefined ? undefined : Number(match[3]) };
}

function isSameOrigin(origin: string, host: string | undefined, door: Doorway): boolean {
  if (host === undefined) return false;
  const scheme = door.secure ? 'https' : 'http';
  const ownDefault = door.secure ? ':443' : ':80';
  const own = `${scheme}://${host.toLowerCase()}`;
  const canonical = own.endsWith(ownDefault) ? own.slice(0, -ownDefault.length) : own;
  return origin.toLowerCase() === canonical;
}

function isTopLevelDocs(request: IncomingMessage): boolean {
  const path = request.url?.split('?', 1)[0];
  return (
    request.method === 'GET' &&
    (path === '/docs' || path === '/docs/') &&
    request.headers['sec-fetch-mode'] === 'navigate' &&
    request.headers['sec-fetch-dest'] === 'document'
  );
}

function describeOrigin(origin: string): string {
  return JSON.stringify(origin.slice(0, 200));
}
