import { isCommandClass } from '@qmp-gateway/catalog';
import { EndpointError, parseEndpoint } from '@qmp-gateway/qmp';
import { nearestNames } from '@qmp-gateway/qapi';
import { registerDecorator } from 'class-validator';
import { levels, type Level } from '../access/principal.js';
import { parseByteSize } from './byte-size.js';
import { parseListenerAddress, socketPathFault, type ListenerAddress } from './listener-address.js';
import { vmIdPattern, type VmDefinition, type VmKind } from './settings.js';

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
  const faults = unknownKeys(value, ['unix', 'mode', 'group', 'level']);
  const { unix, mode, group, level } = value;
  if (typeof unix !== 'string') faults.push('unix: must be the path of the socket');
  else {
    const fault = socketPathFault(unix);
    if (fault !== undefined) faults.push(`unix: ${fault}`);
  }
  if (mode !== undefined && !(typeof mode === 'string' && /^0?[0-7]{3}$/.test(mode)))
    faults.push('mode: must be three octal digits in quotes, such as "0660"');
  if (group !== undefined && typeof group !== 'string') faults.push('group: must be the name of a group');
  if (level !== undefined && !levels.includes(level as Level))
    faults.push(`level: must be one of ${levels.join(', ')}`);
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

const vmKinds: readonly VmKind[] = ['auto', 'qemu', 'stratovirt', 'storage-daemon'];
const vmKeys = ['endpoint', 'agent', 'kind', 'labels', 'insecure', 'hostCommands'];

/** Reads the definition of a VM, from settings or from the body of a PUT. */
export function readVmDefinition(value: unknown, keys: readonly string[] = vmKeys): Reading<VmDefinition> {
  if (!isRecord(value)) return { faults: ['must be an object with an endpoint'] };
  const faults = unknownKeys(value, keys);
  const { endpoint, agent, kind = 'auto', labels = {}, insecure, hostCommands } = value;
  if (endpoint === undefined) faults.push('endpoint: missing');
  else faults.push(...endpointFaults('endpoint', endpoint, insecure === true));
  if (agent !== undefined) faults.push(...endpointFaults('agent', agent, insecure === true));
  if (!vmKinds.includes(kind as VmKind)) faults.push(`kind: must be one of ${vmKinds.join(', ')}`);
  faults.push(...labelFaults(labels));
  if (insecure !== undefined && typeof insecure !== 'boolean') faults.push('insecure: must be true or false');
  if (hostCommands !== undefined && typeof hostCommands !== 'boolean')
    faults.push('hostCommands: must be true or false');
  if (faults.length > 0) return { faults };
  return {
    value: {
      endpoint: endpoint as string,
      kind: kind as VmKind,
      labels: { ...(labels as Record<string, string>) },
      ...(agent === undefined ? {} : { agent: agent as string }),
      ...(insecure === undefined ? {} : { insecure: insecure as boolean }),
      ...(hostCommands === undefined ? {} : { hostCommands: hostCommands as boolean }),
    },
    faults,
  };
}

function endpointFaults(key: string, value: unknown, insecure: boolean): string[] {
  if (typeof value !== 'string') return [`${key}: must be a text such as unix:/run/qemu/vm.qmp`];
  try {
    const endpoint = parseEndpoint(value);
    if (endpoint.kind === 'tcp' && !insecure && !/^(?:127\.|::1$|localhost$)/.test(endpoint.host))
      return [
        `${key}: plain tcp to another machine hands the VM to whoever is in between; use tls:, or set insecure: true`,
      ];
    return [];
  } catch (error) {
    if (error instanceof EndpointError) return [`${key}: ${error.message}`];
    throw error;
  }
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

/** Makes a class-validator rule of a function that lists the faults of a value, a line each. */
function rule(name: string, faultsOf: (value: unknown) => readonly string[]): () => PropertyDecorator {
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

const prefixed = (prefix: string, faults: readonly string[]) =>
  faults.map((fault) => (/^[\w.-]+: /.test(fault) ? `${prefix}.${fault}` : `${prefix}: ${fault}`));

export const IsByteSize = rule('byteSize', (value) =>
  parseByteSize(value) === undefined ? ['must be a number of bytes, or a size such as 64KiB or 1MiB'] : [],
);

export const IsListenerList = rule('listenerList', (value) =>
  Array.isArray(value) ? value.flatMap((entry, at) => prefixed(String(at), readListener(entry).faults)) : [],
);

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
