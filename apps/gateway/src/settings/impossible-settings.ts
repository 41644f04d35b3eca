import { join } from 'node:path';
import { DiscoveryPattern } from '../vms/discovery/discovery-pattern.js';
import { isLocal, type ListenerAddress } from './listener-address.js';
import { realPath } from './own-sockets.js';
import type { Settings } from './settings.js';

/** Settings that are right one by one and wrong together. */
interface Combination {
  /** When one of these is wrong by itself, nothing is said of them together. */
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
          `auth: none is refused, because ${shownAddress(open)} can be reached from other machines`,
      ];
    },
  },
  {
    of: ['auth', 'allowHost'],
    faults: ({ auth, allowHost }) => [
      auth === 'token' && allowHost && 'allowHost: goes with auth: none only; with tokens, give a token level host',
    ],
  },
  {
    of: ['auth', 'jwt', 'clientCertificates'],
    faults: ({ auth, jwt, clientCertificates }) => [
      auth === 'none' &&
        (jwt !== undefined || clientCertificates.length > 0) &&
        'auth: none takes everybody for the same; jwt and clientCertificates need auth: token',
    ],
  },
  {
    of: ['clientCertificates', 'tls'],
    faults: ({ clientCertificates, tls }) => [
      clientCertificates.length > 0 &&
        tls?.clientCa === undefined &&
        'clientCertificates: need tls.clientCa, the authority that signs them',
    ],
  },
  {
    of: ['pictures'],
    faults: ({ pictures: { dir, group } }) => [
      group !== undefined &&
        dir === undefined &&
        'pictures.group: needs pictures.dir, since nobody else may enter the state directory',
    ],
  },
  { of: ['listen'], faults: ({ listen }) => listen.map((address, at) => sameAsBefore(listen, address, at)) },
  {
    of: ['discover', 'listen'],
    faults: ({ discover, listen }) =>
      discover.map(({ qmp }, at) => {
        const own = listen.find((address) => address.kind === 'unix' && matches(qmp, address.path));
        return own !== undefined && `discover.${at}.qmp: would find the gateway's own ${shownAddress(own)}`;
      }),
  },
  {
    of: ['discover', 'monitorSockets'],
    faults: ({ discover, monitorSockets }) =>
      discover.map(
        ({ qmp }, at) =>
          monitorSockets !== undefined &&
          matches(qmp, `${monitorSockets.dir}/web-1.sock`) &&
          `discover.${at}.qmp: would find the gateway's own sockets in monitorSockets.dir`,
      ),
  },
];

/** What is wrong with settings taken together, but for those that are `faulty` by themselves. */
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
  return before < at && !anyPort ? `listen.${at}: ${shown} is listen.${before} already` : undefined;
}

/** Links in the fixed part of the pattern, or in the path, may lead to the same directory. */
function matches(pattern: string, path: string): boolean {
  const { anchor = '/' } = new DiscoveryPattern(pattern);
  const below = pattern.slice(anchor.length).replace(/^\//, '');
  return new DiscoveryPattern(join(realPath(anchor), below)).matchPath(realPath(path)) !== undefined;
}
