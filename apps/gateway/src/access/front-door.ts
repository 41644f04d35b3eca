import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Problem } from '../problems/problem.js';
import type { PublicUrl } from '../settings/public-url.js';

/** What the front door needs to know about the listener of a request. */
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
  /** What browsers call the gateway behind a proxy. */
  readonly publicUrl?: Pick<PublicUrl, 'origin' | 'host'> | undefined;
}

const exposedHeaders = [
  'Server-Timing',
  'QMP-VM-Epoch',
  'QMP-Event-Cursor',
  'QMP-Operation',
  'QMP-Node',
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
  'Content-Digest',
  'Serial-Position',
  'WWW-Authenticate',
].join(', ');
const allowedHeaders = [
  'Authorization',
  'Content-Type',
  'Content-Digest',
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

/** The headers for a request that no page of another origin sent. */
export const noCorsHeaders: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The checks before credentials: is the request meant for this gateway (Host, against DNS rebinding), and may the page
 * that sends it do so (Origin and Fetch Metadata, against cross-site requests)? Returns the CORS headers of the answer,
 * or the problem.
 */
export function checkFrontDoor(
  request: IncomingMessage,
  door: Doorway,
  rules: BrowserRules,
): Readonly<Record<string, string>> | Problem {
  const host = request.headers.host;
  // Routers take the path from an absolute URL, whose host was not checked.
  if (request.method === 'CONNECT')
    return new Problem('host-refused', 'CONNECT asks for a tunnel; the gateway is not a proxy.');
  if (request.url?.startsWith('/') !== true && request.url !== '*')
    return new Problem('host-refused', 'The request target is an absolute URL; the gateway is not a proxy.');
  if (door.kind === 'tcp') {
    const refusal = checkHost(request, host, door, rules);
    if (refusal !== undefined) return refusal;
  }
  const origin = request.headers.origin;
  const site = request.headers['sec-fetch-site'];
  if (origin === undefined && site === undefined) return noCorsHeaders;
  if (origin !== undefined && rules.allowedOrigins.includes(origin)) return corsHeaders(origin);
  if (origin !== undefined && origin !== rules.publicUrl?.origin && !isSameOrigin(origin, host, door))
    return new Problem(
      'origin-refused',
      `Pages of ${describeOrigin(origin)} may not use this gateway (allowedOrigins).`,
    );
  if ((site === 'cross-site' || site === 'same-site') && !isLinkToPage(request))
    return new Problem('origin-refused', `The browser sent this for a page of another site (Sec-Fetch-Site: ${site}).`);
  return noCorsHeaders;
}

/** Answer headers for a preflight of an allowed origin. */
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
  if (isHostOf(door, host, rules) || isHealthCheck(request)) return undefined;
  return new Problem(
    'host-refused',
    `The Host header names ${JSON.stringify(host.slice(0, 200))}, which is none of this gateway's names (allowedHosts, publicUrl).`,
  );
}

/** The last name that was allowed: nearly all requests have the same one. */
let right: { door: Doorway; host: string; allowedHosts: readonly string[] } | undefined;

function isHostOf(door: Doorway, host: string, rules: BrowserRules): boolean {
  const { allowedHosts } = rules;
  if (right?.door === door && right.host === host && right.allowedHosts === allowedHosts) return true;
  const isRight = isNameOf(door, host, rules);
  if (isRight) right = { door, host, allowedHosts };
  return isRight;
}

function isNameOf(door: Doorway, host: string, { allowedHosts, publicUrl }: BrowserRules): boolean {
  const { name, port } = splitHost(host);
  if (allowedHosts.includes(name) || name === publicUrl?.host) return true;
  // Nobody can rebind these by DNS, and a published port or a tunnel changes the port that the client sees.
  if (name === 'localhost' || isIP(name) !== 0) return !Number.isNaN(port);
  const usualPort = door.secure ? 443 : 80;
  const isCertified = door.names?.some((own) => isNamed(own, name)) ?? false;
  return isCertified && (port ?? usualPort) === (door.port ?? usualPort);
}

/** Load balancers send an address, a name of their own, or in HTTP/1.0 no Host; the answers reveal nothing. */
function isHealthCheck({ method, url = '' }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && /^\/(?:livez|readyz)(?:\?|$)/.test(url);
}

/** A star is one label, as in RFC 6125 section 6.4.3. */
function isNamed(own: string, name: string): boolean {
  if (!own.startsWith('*.')) return own === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === own.slice(1);
}

/** Lower-case name without brackets or trailing dot, and the port if there is one. NaN for an invalid port. */
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

/** A page of another site may link to our pages, which hold nobody's data. */
function isLinkToPage(request: IncomingMessage): boolean {
  const path = request.url?.split('?', 1)[0] ?? '';
  return (
    request.method === 'GET' &&
    /^\/(?:docs|console(?:\/.*)?)?$/.test(path) &&
    request.headers['sec-fetch-mode'] === 'navigate' &&
    request.headers['sec-fetch-dest'] === 'document'
  );
}

function describeOrigin(origin: string): string {
  return JSON.stringify(origin.slice(0, 200));
}
