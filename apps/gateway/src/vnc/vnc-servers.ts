import { asObjects, asText, isExposed, parsedJson, serverBounds, wholeText } from '@qmp-gateway/qmp';

/** An address where QEMU listens for VNC. */
export interface VncAddress {
  /** `unix`, `ipv4`, `ipv6`, or what there may be. */
  readonly family: string;
  readonly host: string;
  /** A port, or the path of a unix socket. */
  readonly service: string;
  readonly websocket: boolean;
  readonly auth: string;
}

/** A VNC display of a VM, as `query-vnc-servers` tells it. */
export interface VncServer {
  readonly id: string;
  readonly auth: string;
  /** None after `-vnc none`. */
  readonly addresses: readonly VncAddress[];
}

const anyHost = new Set(['', '0.0.0.0', '::']);
/** Kinds of security that RFB goes on in the clear after. */
const followed: ReadonlySet<string> = new Set(['none', 'vnc']);
const { most } = serverBounds.displays;

/** @param json what `query-vnc-servers` returned @returns undefined when it can't be understood */
export function readVncServers(json: string): readonly VncServer[] | undefined {
  return asObjects(parsedJson(Buffer.from(json)))
    ?.slice(0, most)
    .flatMap(({ id, auth, server }) => {
      const name = wholeText(asText(id), serverBounds.id);
      if (name === undefined) return [];
      return [{ id: name, auth: wordOf(auth), addresses: (asObjects(server) ?? []).slice(0, most).map(readAddress) }];
    });
}

function readAddress({ family, host, service, websocket, auth }: Readonly<Record<string, unknown>>): VncAddress {
  return {
    family: wordOf(family),
    host: asText(host) ?? '',
    service: asText(service) ?? '',
    websocket: websocket === true,
    auth: wordOf(auth),
  };
}

function wordOf(value: unknown): string {
  return wholeText(asText(value), serverBounds.word) ?? 'unknown';
}

/** The address to use: unix sockets first, which only users of the host reach. */
export function plainAddress({ addresses }: VncServer): VncAddress | undefined {
  const plain = addresses.filter(({ websocket }) => !websocket);
  return plain.find(({ family }) => family === 'unix') ?? plain.find(({ family }) => family.startsWith('ipv'));
}

/** Whether the gateway can tell the messages of a client once it is let in. */
export function canBeFollowed({ auth }: VncServer): boolean {
  return followed.has(auth);
}

/** The address does not name a host: QEMU listens at all of its own. */
export function isAnyHost(host: string): boolean {
  return anyHost.has(host);
}

export function isLoopback(host: string): boolean {
  return !isExposed({ kind: 'tcp', host, port: 0 });
}

/** What the operator of the VM should know: who reaches these addresses needs no gateway, and no credentials. */
export function warningsOf({ addresses }: VncServer): string[] {
  return addresses
    .filter(({ family, host, auth }) => family !== 'unix' && auth === 'none' && !isLoopback(host))
    .map(({ family, host, service, websocket }) => {
      const shown = `${family === 'ipv6' ? `[${host}]` : host}:${service}`;
      const cause = websocket
        ? ' It comes of websocket=on in -vnc, which the gateway does not need: leave it out.'
        : '';
      return `QEMU listens at ${shown} without authentication: whoever reaches this port looks and types.${cause}`;
    });
}

/** QEMU lists the newest first; `display-update` is about the oldest. */
export function updatedServer(servers: readonly VncServer[]): VncServer | undefined {
  return servers.at(-1);
}
