import { GatewayClient } from '@qmp-gateway/client';
import { usageFault } from './exit-status.js';
import { readAddress, type GatewayAddress } from './gateway-address.js';
import { LoginFile, type StoredLogin } from './login-file.js';
import { nodeFetch, readTlsFiles, type HttpTrace } from './node-transport.js';

/** Options of every command that talks to a gateway. */
export interface ConnectionFlags {
  readonly url?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly debug?: boolean;
}

/** Where to connect and as whom. */
export interface ConnectionChoice {
  readonly address: GatewayAddress;
  readonly token: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * Flags win over the environment (`QMPGW_URL`, `QMPGW_TOKEN`, `QMPGW_CA`, `QMPGW_CERT`, `QMPGW_KEY`), which wins over
 * what `login` kept for that address.
 * @throws CliFault if nothing says which gateway
 */
export function chooseConnection(flags: ConnectionFlags, environment: NodeJS.ProcessEnv): ConnectionChoice {
  const logins = new LoginFile(environment);
  const fromEnvironment = nonEmpty(environment['QMPGW_URL']);
  const written = flags.url ?? fromEnvironment ?? logins.current;
  if (written === undefined)
    throw usageFault('no gateway is known', 'run qmpctl login URL, or set QMPGW_URL and QMPGW_TOKEN');
  const address = readAddress(written);
  const given = nonEmpty(environment['QMPGW_TOKEN']);
  const fromElsewhere = { ca: environment['QMPGW_CA'], cert: environment['QMPGW_CERT'], key: environment['QMPGW_KEY'] };
  // A script that sets everything needs no home directory.
  const isAllGiven = written === fromEnvironment && given !== undefined;
  const stored: StoredLogin = isAllGiven ? {} : logins.of(address.text);
  return {
    address,
    token: given ?? stored.token,
    ca: flags.ca ?? nonEmpty(fromElsewhere.ca) ?? stored.ca,
    cert: flags.cert ?? nonEmpty(fromElsewhere.cert) ?? stored.cert,
    key: flags.key ?? nonEmpty(fromElsewhere.key) ?? stored.key,
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

/**
 * A client of the chosen gateway.
 * @param needs `sockets`: it will open WebSockets
 */
export async function connectTo(
  { address, token, ...files }: ConnectionChoice,
  trace: HttpTrace | undefined,
  needs: { readonly sockets?: boolean } = {},
): Promise<GatewayClient> {
  const tls = readTlsFiles(files);
  const WebSocket =
    needs.sockets === true ? (await import('./node-web-socket.js')).nodeWebSocket(address, tls, trace) : undefined;
  return new GatewayClient({ url: address.url, token, fetch: nodeFetch(address, tls, trace), WebSocket });
}
