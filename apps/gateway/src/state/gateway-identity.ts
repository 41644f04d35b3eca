import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Who this process is. `run` is new for each start and the first part of cursors, epochs and operation ids. */
export class GatewayIdentity {
  readonly name = 'qmp-gateway';
  readonly version = version;
  /** Milliseconds and chance: no start repeats another's, clock set back or not. */
  readonly run = Date.now().toString(36).slice(-6) + randomBytes(4).readUInt32BE().toString(36);
  readonly capabilities: readonly string[] = [
    ...['rest', 'fan-out', 'operations', 'idempotency', 'prefer', 'dry-run', 'sse', 'ndjson', 'json-rpc', 'monitor'],
    ...['agent', 'qom', 'screen', 'keys', 'serials', 'access', 'tokens'],
  ];
}
