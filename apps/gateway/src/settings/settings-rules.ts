import { isCommandClass } from '@qmp-gateway/catalog';
import { EndpointError, isExposed, parseEndpoint } from '@qmp-gateway/qmp';
import { nearestNames } from '@qmp-gateway/qapi';
import { registerDecorator } from 'class-validator';
import { levels, type Level } from '../access/principal.js';
import { agentPatternFaults, patternFaults } from '../vms/discovery/discovery-pattern.js';
import { parseByteSize } from './byte-size.js';
import { parseListenerAddress, socketPathFault, type ListenerAddress } from './listener-address.js';
import { discoveryMembers, listenerMembers, monitorSocketMembers, vmMembers } from './setting-members.js';
import {
  vmIdPattern,
  type DiscoverySettings,
  type MonitorSocketSettings,
  type VmAnchors,
  type VmDefinition,
  type VmKind,
  type VmTls,
} from './settings.js';

/** What was read, and every fault found on the way, each as `sub.path: what is wrong` or just what is wrong. */
export interface Reading<T> {
  readonly value?: T;
  readonly faults: readonly string[];
}

/** Reads one entry of `listen`. */
export function readListener(value: unknown): Reading<ListenerAddress> {
  if (typeof value === 'string') {
    const address = parseListenerAddress(value);
    return typeof address === 'string' ? { faults: [address] } : { value: address, faults: [] };
  }
  if (!isRecord(value)) return { faults: ['must be host:port, unix:/path or {unix: /path}'] };
  const faults = unknownKeys(value, Object.keys(listenerMembers));
  const { unix, mode, group, level } = value;
  if (typeof unix !== 'string') faults.push('unix: must be the path of the socket');
  else {
    const fault = socketPathFault(unix);
    if (fault !== undefined) faults.push(`unix: ${fault}`);
  }
  if (mode !== undefined) faults.push(...modeFaults(mode));
  if (group !== undefined && typeof group !== 'string') faults.push('group: must be the name of a group');
  if (level !== undefined) faults.push(...levelFaults(level));
  if (faults.length > 0) return { faults };
  return {
    value: {
      kind: 'unix',
      path: unix as string,
      ...(mode === undefined ? {} : { mode: parseInt(mode as string, 8) }),
      ...(group === undefined ? {} : { group: group as string }),
      ...(level === undefined ? {} : { level: level as Level }),
    },
    faults,
  };
}

/** Reads `monitorSockets`. */
export function readMonitorSockets(value: unknown): Reading<MonitorSocketSettings> {
  if (!isRecord(value)) return { faults: ['must be an object with a dir'] };
  const faults = unknownKeys(value, Object.keys(monitorSocketMembers));
  const { dir, mode = '0600', level = 'operate' } = value;
  if (typeof dir !== 'string') faults.push('dir: must be the path of a directory');
  else {
    const fault = socketPathFault(dir);
    if (fault !== undefined) faults.push(`dir: ${fault}`);
  }
  faults.push(...modeFaults(mode), ...levelFaults(level));
  if (faults.length > 0) return { faults };
  return { value: { dir: dir as string, mode: parseInt(mode as string, 8), level: level as Level }, faults };
}

/** Reads one entry of `discover`. */
export function readDiscovery(value: unknown): Reading<DiscoverySettings> {
  if (!isRecord(value)) return { faults: ['must be an object such as {qmp: "/run/qemu/{id}.qmp"}'] };
  const faults = unknownKeys(value, Object.keys(discoveryMembers));
  const { qmp, agent } = value;
  if (typeof qmp !== 'string') faults.push('qmp: must be a path such as /run/qemu/{id}.qmp');
  else faults.push(...patternFaults(qmp).map((fault) => `qmp: ${fault}`));
  if (agent !== undefined && typeof agent !== 'string') faults.push('agent: must be a path such as /run/qemu/{id}.qga');
  if (typeof agent === 'string' && typeof qmp === 'string')
    faults.push(...agentPatternFaults(agent, qmp).map((fault) => `agent: ${fault}`));
  if (faults.length > 0) return { faults };
  return { value: { qmp: qmp as string, ...(agent === undefined ? {} : { agent: agent as string }) }, faults };
}

function modeFaults(mode: unknown): string[] {
  const isMode = typeof mode === 'string' && /^0?[0-7]{3}$/.test(mode);
  return isMode ? [] : ['mode: must be three octal digits in quotes, such as "0660"'];
}

function levelFaults(level: unknown): string[] {
  return levels.includes(level as Level) ? [] : [`level: must be one of ${levels.join(', ')}`];
}

const vmKinds: readonly VmKind[] = ['auto', 'qemu', 'stratovirt', 'storage-daemon'];
const vmTlsKeys = ['ca', 'cert', 'key', 'serverName'] as const;

/** What is kept of a VM that came by the API. */
export const storedVmKeys: readonly string[] = [...Object.keys(vmMembers), 'anchors'];

/** Reads the definition of a VM, from settings, from the body of a PUT or as it was stored. */
export function readVmDefinition(
  value: unknown,
  keys: readonly string[] = Object.keys(vmMembers),
): Reading<VmDefinition> {
  if (!isRecord(value)) return { faults: ['must be an object with an endpoint'] };
  const faults = unknownKeys(value, keys);
  const { endpoint, agent, kind = 'auto', labels = {}, tls, insecure, hostCommands, anchors } = value;
  if (endpoint === undefined) faults.push('endpoint: missing');
  else faults.push(...endpointFaults('endpoint', endpoint, tls, insecure === true));
  if (agent !== undefined) faults.push(...endpointFaults('agent', agent, tls, insecure === true));
  if (tls !== undefined) faults.push(...vmTlsFaults(tls));
  if (!vmKinds.includes(kind as VmKind)) faults.push(`kind: must be one of ${vmKinds.join(', ')}`);
  faults.push(...labelFaults(labels));
  if (insecure !== undefined && typeof insecure !== 'boolean') faults.push('insecure: must be true or false');
  if (hostCommands !== undefined && typeof hostCommands !== 'boolean')
    faults.push('hostCommands: must be true or false');
  if (anchors !== undefined) faults.push(...anchorFaults(anchors));
  if (faults.length > 0) return { faults };
  return {
    value: {
      endpoint: endpoint as string,
      kind: kind as VmKind,
      labels: { ...(labels as Record<string, string>) },
      ...(agent === undefined ? {} : { agent: agent as string }),
      ...(tls === undefined ? {} : { tls: { ...(tls as VmTls) } }),
      ...(insecure === undefined ? {} : { insecure: insecure as boolean }),
      ...(hostCommands === undefined ? {} : { hostCommands: hostCommands as boolean }),
      ...(anchors === undefined ? {} : { anchors: anchors as VmAnchors }),
    },
    faults,
  };
}

function vmTlsFaults(tls: unknown): string[] {
  if (!isRecord(tls)) return ['tls: must be an object of files: ca, cert, key; and serverName'];
  const faults = unknownKeys(tls, vmTlsKeys).map((fault) => `tls.${fault}`);
  for (const key of vmTlsKeys)
    if (tls[key] !== undefined && (typeof tls[key] !== 'string' || tls[key] === ''))
      faults.push(`tls.${key}: must be ${key === 'serverName' ? 'a host name' : 'the path of a PEM file'}`);
  if ((tls['cert'] === undefined) !== (tls['key'] === undefined)) faults.push('tls: cert and key go together');
  return faults;
}

function endpointFaults(key: string, value: unknown, tls: unknown, insecure: boolean): string[] {
  if (typeof value !== 'string') return [`${key}: must be a text such as unix:/run/qemu/vm.qmp`];
  try {
    const endpoint = parseEndpoint(value);
    if (isExposed(endpoint) && !insecure)
      return [
        `${key}: plain tcp to another machine hands the VM to whoever is in between; use tls:, or set insecure: true`,
      ];
    if (endpoint.kind === 'listen-tls' && !(isRecord(tls) && tls['ca'] !== undefined && tls['cert'] !== undefined))
      return [`${key}: listen:tls needs tls with ca, cert and key, which only the settings can name`];
    return [];
  } catch (error) {
    if (error instanceof EndpointError) return [`${key}: ${error.message}`];
    throw error;
  }
}

function anchorFaults(anchors: unknown): string[] {
  if (!isRecord(anchors)) return ['anchors: must be an object of directories'];
  return Object.entries(anchors).flatMap(([key, directory]) =>
    (key === 'endpoint' || key === 'agent') && typeof directory === 'string' && directory.startsWith('/')
      ? []
      : [`anchors.${key.slice(0, 80)}: must be a directory, of endpoint or agent`],
  );
}

const maxLabels = 64;

function labelFaults(labels: unknown): string[] {
  if (!isRecord(labels)) return ['labels: must be an object of texts'];
  const entries = Object.entries(labels);
  if (entries.length > maxLabels) return [`labels: at most ${maxLabels}`];
  return entries.flatMap(([key, value]) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/.test(key))
      return [`labels.${key.slice(0, 80)}: a key is letters, digits and . _ / -, at most 63 of them`];
    if (typeof value !== 'string' || value.length > 256)
      return [`labels.${key}: must be a text of at most 256 characters`];
    return [];
  });
}

function unknownKeys(value: Record<string, unknown>, known: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => unknownKey(key, known));
}

/** `key: unknown`, with the nearest known names. */
export function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestNames(key, known);
  return `${key.slice(0, 80)}: unknown${nearest.length > 0 ? ` (did you mean ${nearest.join(' or ')}?)` : ''}`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with a place to get keys from, or undefined: whoever could change them on the way could sign tokens. */
export function jwksSourceFault(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return 'must be an https URL or the path of a file';
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return undefined;
  const { protocol, hostname } = URL.canParse(value) ? new URL(value) : { protocol: '', hostname: '' };
  const local = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && local)) return undefined;
  return 'must be an https URL (http only to this machine), or the path of a file';
}

/** Makes a class-validator rule of a function that lists the faults of a value, a line each. */
export function rule(name: string, faultsOf: (value: unknown) => readonly string[]): () => PropertyDecorator {
  return () => (target, propertyName) => {
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: (value: unknown) => faultsOf(value).length === 0,
        defaultMessage: (args) => faultsOf(args?.value).join('\n'),
      },
    });
  };
}

export const prefixed = (prefix: string, faults: readonly string[]) =>
  faults.map((fault) => (/^[\w.-]+: /.test(fault) ? `${prefix}.${fault}` : `${prefix}: ${fault}`));

export const IsByteSize = rule('byteSize', (value) =>
  parseByteSize(value) === undefined ? ['must be a number of bytes, or a size such as 64KiB or 1MiB'] : [],
);

export const IsListenerList = rule('listenerList', (value) =>
  Array.isArray(value) ? value.flatMap((entry, at) => prefixed(String(at), readListener(entry).faults)) : [],
);

export const IsJwksSource = rule('jwksSource', (value) => {
  const fault = jwksSourceFault(value);
  return fault === undefined ? [] : [fault];
});

export const IsVmMap = rule('vmMap', (value) =>
  isRecord(value)
    ? Object.entries(value).flatMap(([id, vm]) =>
        vmIdPattern.test(id)
          ? prefixed(id, readVmDefinition(vm).faults)
          : [
              `${id.slice(0, 150)}: an id is letters, digits and . _ -, at most 128 of them, the first a letter or digit`,
            ],
      )
    : ['must be an object of VMs by id'],
);

export const IsDiscoveryList = rule('discoveryList', (value) =>
  Array.isArray(value) ? value.flatMap((entry, at) => prefixed(String(at), readDiscovery(entry).faults)) : [],
);

export const IsMonitorSockets = rule('monitorSockets', (value) => readMonitorSockets(value).faults);

export const IsOriginList = rule('originList', (value) =>
  Array.isArray(value)
    ? value.flatMap((origin: unknown, at) =>
        typeof origin === 'string' && /^https?:\/\/[^/?#*@\s]+$/.test(origin) && new URL(origin).origin === origin
          ? []
          : [`${at}: must be an origin such as https://dash.example.org (no path, no *, lower case)`],
      )
    : [],
);

export const IsCommandClassMap = rule('commandClassMap', (value) =>
  isRecord(value)
    ? Object.entries(value).flatMap(([command, commandClass]) =>
        typeof commandClass === 'string' && isCommandClass(commandClass)
          ? []
          : [`${command.slice(0, 80)}: must be one of ${levels.join(', ')}`],
      )
    : ['must be an object of classes by command'],
);
