import { usageFault } from './exit-status.js';

/** Where a gateway listens. */
export interface GatewayAddress {
  /** As the user writes it, without a slash at the end: the key of what is stored for it. */
  readonly text: string;
  /** Where its resources begin; of a unix socket a name that stands for it. */
  readonly url: string;
  /** Path of its unix socket. */
  readonly socketPath: string | undefined;
}

const forms = 'https://HOST, http://HOST:PORT or unix:/PATH';

/** Reads the address of a gateway. @throws CliFault */
export function readAddress(written: string): GatewayAddress {
  const text = written.trim().replace(/\/+$/, '');
  const socketPath = /^unix:(\/.+)$/s.exec(text)?.[1];
  if (socketPath !== undefined) return { text, url: 'http://localhost', socketPath };
  if (!/^https?:\/\/[^/]/.test(text) || !URL.canParse(text))
    throw usageFault(`${JSON.stringify(written)} is not the address of a gateway`, `an address is ${forms}`);
  const { username, password, search, hash } = new URL(text);
  if (username !== '' || password !== '')
    throw usageFault('an address has no credentials in it', 'pass the token to login, or as QMPGW_TOKEN');
  if (search !== '' || hash !== '') throw usageFault(`${JSON.stringify(written)} has more in it than an address`);
  return { text, url: text, socketPath: undefined };
}
