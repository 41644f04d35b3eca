import type { CommandClass } from '@qmp-gateway/catalog';
import { agentPatternFaults, patternFaults } from './discovery-pattern.js';
import { group, object } from './object-type.js';
import { Setting } from './setting.js';
import { list, oneOf, string } from './setting-type.js';
import { level, mode, path, socketPath } from './value-types.js';

/** Sockets to watch for: VMs that come and go with them. */
export class DiscoverySettings {
  @Setting({
    what: 'Path of the QMP sockets with `{id}`. Other placeholders become labels; each stands for a part of one name. From the first placeholder on, links are not followed.',
    is: string({
      called: 'path',
      must: 'must be a path such as /run/qemu/{id}.qmp',
      pattern: /^\/[\s\S]*\{id\}/,
      faultsOf: patternFaults,
    }),
    required: true,
  })
  readonly qmp!: string;

  @Setting({
    what: "Path of the guest agents' sockets, with placeholders of `qmp`.",
    is: path('must be a path such as /run/qemu/{id}.qga'),
  })
  readonly agent?: string;
}

export const discoveryType = object(DiscoverySettings, {
  must: 'must be an object such as {qmp: "/run/qemu/{id}.qmp"}',
  together: ({ qmp }, { agent }) =>
    agent === undefined || typeof qmp !== 'string'
      ? []
      : agentPatternFaults(agent, qmp).map((message) => ({ path: ['agent'], message, beyondSchema: true })),
});

/** Shared monitors as unix sockets, `DIR/<vm>.sock`. */
export class MonitorSocketSettings {
  @Setting({
    what: 'Directory of the sockets. The gateway creates it with mode 0700 if it does not exist; nobody else may write there.',
    is: socketPath('must be the path of a directory'),
    required: true,
  })
  readonly dir!: string;

  @Setting({ what: 'Permission bits of each socket.', is: mode(), default: '0600' })
  readonly mode!: number;

  @Setting({ what: 'What anyone who may open a socket may do with its VM.', is: level(), default: 'operate' })
  readonly level!: CommandClass;
}

/** Serial lines of VMs: which the gateway attaches to, and when. */
export class SerialSettings {
  @Setting({
    what: '`always`: the gateway is the client of each serial socket of a VM, from the start of the session on, and keeps the newest 256 KiB of each. `asked`: only while somebody looks. `never`: not at all. Ptys, ring buffers and virtio-serial ports are attached only while somebody looks.',
    is: oneOf(['always', 'asked', 'never']),
    default: 'always',
    example: 'asked',
    restart: true,
  })
  readonly attach!: 'always' | 'asked' | 'never';

  @Setting({
    what: "Globs of paths of serial sockets that are not in the directory of their VM's monitor. `*` is any run of characters.",
    is: list(
      string({ called: 'glob of paths', must: 'must be an absolute path, with or without *', pattern: /^\// }),
      'globs of paths',
    ),
    default: [],
    example: '[/var/lib/libvirt/qemu/serial/*.sock]',
    restart: true,
  })
  readonly paths!: readonly string[];
}

export const serialsType = group(SerialSettings);
export const monitorSocketsType = object(MonitorSocketSettings, { must: 'must be an object with a dir' });
