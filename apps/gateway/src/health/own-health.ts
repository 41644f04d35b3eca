import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { placeToConnect } from '../settings/listener-address.js';
import type { Settings } from '../settings/settings.js';

const deadlineMs = 3_000;

/**
 * Asks the gateway with these settings on this machine whether it is alive (`/livez`), at the first address it listens on.
 * @returns in words what is wrong, or undefined
 */
export function ownHealth({ listen, tls }: Pick<Settings, 'listen' | 'tls'>): Promise<string | undefined> {
  const address = listen.find((one) => one.kind === 'unix' || one.port !== 0);
  if (address === undefined) return Promise.resolve('no address of the settings has a port that is known beforehand');
  const isSecure = address.kind === 'tcp' && tls !== undefined;
  // The certificate is for clients from elsewhere: it need not name a loopback address, and nothing secret is sent.
  const options = { ...placeToConnect(address), path: '/livez', timeout: deadlineMs, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const request = (isSecure ? httpsRequest : httpRequest)(options, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      response.on('end', () => resolve(statusCode === 200 ? undefined : `/livez answered ${statusCode}`));
      response.on('error', (error) => resolve(error.message));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${deadlineMs / 1000} s`)));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.message || (error.code ?? 'no connection')));
    request.end();
  });
}
