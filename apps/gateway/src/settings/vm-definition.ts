import { isRecord } from '@qmp-gateway/qapi';
import { EndpointError, isExposed, parseEndpoint } from '@qmp-gateway/qmp';
import { object } from './object-type.js';
import { describedSettings, Setting } from './setting.js';
import { boolean, mapOf, oneOf, shownFault, string, type SettingFault, type SettingType } from './setting-type.js';
import { text } from './value-types.js';
import { machineKinds, type MachineKind } from '@qmp-gateway/catalog';

/**
 * For paths of which others wrote a part: the directories of endpoint and agent that the operator wrote. Below them no
 * name may be a link, whenever the gateway dials.
 */
export interface VmAnchors {
  readonly endpoint?: string;
  readonly agent?: string;
}

/** Ids of VMs, everywhere. */
export const vmIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** The kind of server at a VM's monitor; `auto`: what it says of itself decides. */
export type VmKind = 'auto' | MachineKind;

export const vmKinds: readonly VmKind[] = ['auto', ...machineKinds];

const kindsInWords = vmKinds
  .map((kind) => `\`${kind}\``)
  .join(', ')
  .replace(/, (?=[^,]*$)/, ' or ');

const pemFile = () => string({ called: 'path', must: 'must be the path of a PEM file' });

/** Files (PEM) for TLS endpoints of a VM. */
export class VmTls {
  @Setting({ what: 'Authorities that sign the certificate of the VM.', is: pemFile() })
  readonly ca?: string;

  @Setting({ what: 'The certificate of the gateway; needs `key`.', is: pemFile() })
  readonly cert?: string;

  @Setting({ what: 'The key of that certificate.', is: pemFile() })
  readonly key?: string;

  @Setting({
    what: 'The name that the certificate of the VM must carry.',
    is: text('must be a host name'),
    defaultText: 'the host of the endpoint',
  })
  readonly serverName?: string;
}

const vmTls = object(VmTls, {
  must: 'must be an object of files: ca, cert, key; and serverName',
  schema: { dependentRequired: { cert: ['key'], key: ['cert'] } },
  together: ({ cert, key }) =>
    (cert === undefined) === (key === undefined) ? [] : [{ path: [], message: 'cert and key go together' }],
});

function endpoint(): SettingType<string> {
  return string({
    called: 'endpoint',
    must: 'must be a string such as unix:/run/qemu/vm.qmp',
    pattern: /^(?:(?:listen:)?unix:\/|(?:listen:tls|tls|tcp):[\s\S]+:\d{1,5}$)/,
    faultsOf: endpointFaults,
  });
}

function endpointFaults(given: string): string[] {
  try {
    parseEndpoint(given);
    return [];
  } catch (error) {
    if (error instanceof EndpointError) return [error.message];
    throw error;
  }
}

const maxLabels = 64;
const labels = mapOf(
  string({ called: 'string', must: 'must be a string of at most 256 characters', minLength: 0, maxLength: 256 }),
  {
    called: 'strings',
    maxEntries: maxLabels,
    keys: {
      pattern: /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/,
      must: 'a key is letters, digits and . _ / -, at most 63 of them',
    },
  },
);

/** How to reach one VM, as the settings and the API write it. */
export class VmSettings {
  @Setting({
    what: '`unix:/path`, `tcp:host:port`, `tls:host:port`; `listen:unix:/path` or `listen:tls:host:port` for a QEMU that dials in.',
    is: endpoint(),
    required: true,
  })
  readonly endpoint!: string;

  @Setting({ what: "The guest agent's socket.", is: endpoint() })
  readonly agent?: string;

  @Setting({ what: `${kindsInWords}.`, is: oneOf(vmKinds), default: 'auto' })
  readonly kind!: VmKind;

  @Setting({ what: 'For selectors and for the scope of tokens; at most 64.', is: labels, default: {} })
  readonly labels!: Readonly<Record<string, string>>;

  @Setting({ what: 'For endpoints with TLS.', is: vmTls })
  readonly tls?: VmTls;

  @Setting({ what: 'Allows plain tcp to another machine.', is: boolean(), defaultText: '`false`' })
  readonly insecure?: boolean;

  @Setting({
    what: 'Other nodes of the fleet name this endpoint too: the one that holds its lease dials it.',
    is: boolean(),
    defaultText: '`false`',
  })
  readonly shared?: boolean;

  @Setting({
    what: '`false` refuses commands of class `host` for this VM, whoever sends them.',
    is: boolean(),
    defaultText: '`true`',
  })
  readonly hostCommands?: boolean;
}

/** How to reach one VM, wherever that was said: settings, the API or discovery. */
export interface VmDefinition extends VmSettings {
  /** Absent when the operator, or somebody of level `host`, wrote the paths. */
  readonly anchors?: VmAnchors;
}

export const vmType = object(VmSettings, { must: 'must be an object with an endpoint', together: unsafeEndpoints });

/** Plain tcp hands the VM to anyone on the path between; a VM that dials in must prove its identity. */
function unsafeEndpoints(
  given: Readonly<Record<string, unknown>>,
  read: Readonly<Partial<VmSettings>>,
): SettingFault[] {
  const { tls } = given;
  return (['endpoint', 'agent'] as const).flatMap((key): SettingFault[] => {
    const address = read[key];
    if (address === undefined) return [];
    const parsed = parseEndpoint(address);
    const refused = (message: string): SettingFault[] => [{ path: [key], message, beyondSchema: true }];
    if (isExposed(parsed) && given['insecure'] !== true)
      return refused(
        'plain tcp to another machine hands the VM to anyone on the path between; use tls:, or insecure: true, which only the settings can give',
      );
    if (parsed.kind === 'listen-tls' && !(isRecord(tls) && tls['ca'] !== undefined && tls['cert'] !== undefined))
      return refused('listen:tls needs tls with ca, cert and key, which only the settings can give');
    if (key === 'endpoint' && given['shared'] === true && parsed.kind !== 'tcp' && parsed.kind !== 'tls')
      return [
        { path: ['shared'], message: 'is for tcp: and tls: endpoints, which several hosts reach', beyondSchema: true },
      ];
    return [];
  });
}

/** What is kept of a VM that came by the API. */
export const storedVmKeys: readonly string[] = [...describedSettings(VmSettings).keys(), 'anchors'];

/** A definition, or its faults, each `path: what is wrong`. */
export interface VmReading {
  readonly value?: VmDefinition;
  readonly faults: readonly string[];
}

/** Reads the definition of a VM from the body of a PUT, or as it was stored, with these keys. */
export function readVmDefinition(value: unknown, keys: readonly string[]): VmReading {
  if (!isRecord(value)) return { faults: vmType.read(value).faults.map(shownFault) };
  const { anchors, ...members } = value;
  const takesAnchors = keys.includes('anchors');
  const own = keys.filter((key) => key !== 'anchors');
  const { read, faults } = vmType.readMembers(takesAnchors ? members : value, own);
  const all = [...faults, ...(takesAnchors && anchors !== undefined ? anchorFaults(anchors) : [])];
  if (all.length > 0) return { faults: all.map(shownFault) };
  const definition = { ...read, ...(anchors === undefined ? {} : { anchors }) } as VmDefinition;
  return { value: definition, faults: [] };
}

function anchorFaults(anchors: unknown): SettingFault[] {
  if (!isRecord(anchors)) return [{ path: ['anchors'], message: 'must be an object of directories' }];
  return Object.entries(anchors).flatMap(([key, directory]) =>
    (key === 'endpoint' || key === 'agent') && typeof directory === 'string' && directory.startsWith('/')
      ? []
      : [{ path: ['anchors', key], message: 'must be a directory, of endpoint or agent' }],
  );
}
