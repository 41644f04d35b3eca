import { join } from 'node:path';
import { DiscoveryPattern } from './discovery-pattern.js';
import type { FleetSettings } from './fleet-settings.js';
import { isLocal, type ListenerAddress } from './listener-address.js';
import { realPath } from './own-sockets.js';
import type { Settings } from './settings.js';

/** Settings that are valid one by one and contradict each other. */
interface Combination {
  /** If one of these is wrong by itself, the combination is not checked. */
  readonly of: readonly (keyof Settings)[];
  faults(settings: Settings): readonly (string | false | undefined)[];
}

const combinations: readonly Combination[] = [
  {
    of: ['auth', 'listen'],
    faults: ({ auth, listen }) => {
      const open = listen.find((address) => !isLocal(address));
      return [
        auth === 'none' &&
          open !== undefined &&
          `auth: cannot be none, because other machines can reach ${shownAddress(open)}`,
      ];
    },
  },
  {
    of: ['auth', 'allowHost'],
    faults: ({ auth, allowHost }) => [
      auth === 'token' && allowHost && 'allowHost: needs auth: none; with auth: token, create a token of level host',
    ],
  },
  {
    of: ['auth', 'jwt', 'clientCertificates'],
    faults: ({ auth, jwt, clientCertificates }) => [
      auth === 'none' &&
        (jwt !== undefined || clientCertificates.length > 0) &&
        'auth: cannot be none with jwt or clientCertificates, which tell clients apart',
    ],
  },
  {
    of: ['clientCertificates', 'tls'],
    faults: ({ clientCertificates, tls }) => [
      clientCertificates.length > 0 &&
        tls?.clientCa === undefined &&
        'clientCertificates: needs tls.clientCa, the authority that signs them',
    ],
  },
  {
    of: ['pictures'],
    faults: ({ pictures: { dir, group } }) => [
      group !== undefined &&
        dir === undefined &&
        'pictures.group: needs pictures.dir, because other users cannot enter the state directory',
    ],
  },
  { of: ['listen'], faults: ({ listen }) => listen.map((address, at) => sameAsBefore(listen, address, at)) },
  {
    of: ['discover', 'listen'],
    faults: ({ discover, listen }) =>
      discover.map(({ qmp }, at) => {
        const own = listen.find((address) => address.kind === 'unix' && matches(qmp, address.path));
        return own !== undefined && `discover.${at}.qmp: matches the gateway's own socket ${shownAddress(own)}`;
      }),
  },
  {
    of: ['discover', 'monitorSockets'],
    faults: ({ discover, monitorSockets }) =>
      discover.map(
        ({ qmp }, at) =>
          monitorSockets !== undefined &&
          matches(qmp, `${monitorSockets.dir}/web-1.sock`) &&
          `discover.${at}.qmp: matches the gateway's own sockets in monitorSockets.dir`,
      ),
  },
  {
    of: ['vms', 'fleet'],
    faults: ({ vms, fleet }) =>
      Array.from(
        vms,
        ([id, { shared }]) =>
          shared === true && fleet === undefined && `vms.${id}.shared: needs fleet, which has the leases`,
      ),
  },
  {
    of: ['fleet'],
    faults: ({ fleet }) => (fleet === undefined ? [] : impossibleFleet(fleet)),
  },
];

function impossibleFleet({ servers, insecure, credentials = {}, heartbeat, unreachableAfter }: FleetSettings) {
  const { creds, nkey, user, passwordFile } = credentials;
  const identities = [creds, nkey, user].filter((given) => given !== undefined).length;
  return [
    ...servers.map(
      (url, at) =>
        url.startsWith('nats:') &&
        !insecure &&
        !isLocal({ kind: 'tcp', host: new URL(url).hostname.replace(/^\[|\]$/g, ''), port: 0 }) &&
        `fleet.servers.${at}: ${url} is not encrypted; use tls://, or allow it with fleet.insecure: true`,
    ),
    identities > 1 && 'fleet.credentials: one of creds, nkey and user',
    (user === undefined) !== (passwordFile === undefined) && 'fleet.credentials: user and passwordFile go together',
    unreachableAfter < 2 * heartbeat && 'fleet.unreachableAfter: must be at least twice fleet.heartbeat',
  ];
}

/** What is wrong with settings taken together, except those that are `faulty` by themselves. */
export function impossibleSettings(settings: Settings, faulty: ReadonlySet<string>): string[] {
  return combinations
    .filter(({ of }) => !of.some((key) => faulty.has(key)))
    .flatMap((combination) => combination.faults(settings))
    .filter((fault) => typeof fault === 'string');
}

/** As the settings have it. */
export function shownAddress(address: ListenerAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

function sameAsBefore(listen: readonly ListenerAddress[], address: ListenerAddress, at: number): string | undefined {
  const anyPort = address.kind === 'tcp' && address.port === 0;
  const shown = shownAddress(address);
  const before = listen.findIndex((other) => shownAddress(other) === shown);
  return before < at && !anyPort ? `listen.${at}: ${shown} is the same address as listen.${before}` : undefined;
}

/** Links in the fixed part of the pattern, or in the path, may lead to the same directory. */
function matches(pattern: string, path: string): boolean {
  const { anchor = '/' } = new DiscoveryPattern(pattern);
  const below = pattern.slice(anchor.length).replace(/^\//, '');
  return new DiscoveryPattern(join(realPath(anchor), below)).matchPath(realPath(path)) !== undefined;
}
