import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { placeToConnect } from '../settings/listener-address.js';
import { SettingsError } from '../settings/load-settings.js';
import type { Settings } from '../settings/settings.js';
import { systemFault } from '../settings/system-fault.js';

const deadlineMs = 5_000;
/** Of the environment: a token in place of the first one. */
const tokenVariable = 'QMPGW_TOKEN';

/**
 * Asks the gateway with these settings on this machine for a one-time code.
 * @returns the address of its console, with the code, which stands once and within a minute
 * @throws SettingsError that says what is missing: an address, a token, or the gateway itself
 */
export async function consoleLink(
  { listen, tls, publicUrl, auth, state }: Pick<Settings, 'listen' | 'tls' | 'publicUrl' | 'auth' | 'state'>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const address = listen.find((one) => one.kind === 'tcp' && one.port !== 0);
  if (address?.kind !== 'tcp') throw new SettingsError(['listen: no address that a browser can open']);
  const isSecure = tls !== undefined;
  const place = placeToConnect(address);
  const { host } = place;
  const shownHost = host?.includes(':') === true ? `[${host}]` : (host ?? '');
  const origin = publicUrl
    ? publicUrl.origin + publicUrl.base
    : `http${isSecure ? 's' : ''}://${shownHost}:${address.port}`;
  if (auth === 'none') return `${origin}/console`;
  const token = environment[tokenVariable] ?? rootToken(state);
  const path = `${publicUrl?.base ?? ''}/v1/session/codes`;
  const headers = { Authorization: `Bearer ${token}`, ...(publicUrl ? { Host: publicUrl.host } : {}) };
  const through =
    tls === undefined ? {} : { agent: undefined, createConnection: returning(await securely(place, tls.cert)) };
  const { code } = await posted({ ...place, path, headers, ...through });
  return `${origin}/console#code=${code}`;
}

function rootToken(state: string): string {
  const file = join(state, 'root.token');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  throw new SettingsError([
    `${tokenVariable}: not set, and there is no ${file}; make one with qmp-gateway token create`,
  ]);
}

/**
 * A connection to whoever has the certificate of the settings. The gateway is called by an address of this machine, and its
 * certificate is for the names that others call it by; but while it is down anybody may have taken its port.
 */
async function securely({ host, port }: RequestOptions, certFile: string): Promise<TLSSocket> {
  const expected = certificateIn(certFile);
  return await new Promise((resolve, reject) => {
    const socket = connectSecurely({
      host: host ?? undefined,
      port: Number(port),
      rejectUnauthorized: false,
      timeout: deadlineMs,
    });
    const fail = (why: string): void => {
      socket.destroy();
      reject(noCode(why));
    };
    socket.once('secureConnect', () => {
      const isOwn = socket.getPeerX509Certificate()?.raw.equals(expected.raw) === true;
      if (isOwn) resolve(socket);
      else fail('what listens there has another certificate than tls.cert');
    });
    socket.once('timeout', () => fail(lateText));
    socket.on('error', (error: NodeJS.ErrnoException) => fail(connectionFault(error, { host, port })));
  });
}

function certificateIn(file: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(file));
  } catch (error) {
    throw new SettingsError([`tls.cert: ${file} cannot be read: ${systemFault(error)}`]);
  }
}

const returning =
  <T>(value: T) =>
  (): T =>
    value;

const lateText = `no answer within ${deadlineMs / 1000} s`;

function noCode(why: string): SettingsError {
  return new SettingsError([`the gateway gave no code: ${why}`], true);
}

function posted(options: RequestOptions): Promise<{ code: string }> {
  const all = { ...options, method: 'POST', timeout: deadlineMs };
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(noCode(why));
    const request = httpRequest(all, (response) => {
      text(response).then(
        (body) => {
          if (response.statusCode === 201) resolve(JSON.parse(body) as { code: string });
          else fail(`it answered ${response.statusCode ?? 0}`);
        },
        (error: unknown) => fail((error as Error).message),
      );
    });
    request.on('timeout', () => request.destroy(new Error(lateText)));
    request.on('error', (error: NodeJS.ErrnoException) => fail(connectionFault(error, options)));
    request.end();
  });
}

function connectionFault({ code, message }: NodeJS.ErrnoException, { host, port, socketPath }: RequestOptions): string {
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return `nothing listens at ${socketPath ?? `${host ?? ''}:${port ?? ''}`}; does it run, with these flags and settings?`;
  return message || (code ?? 'no connection');
}
