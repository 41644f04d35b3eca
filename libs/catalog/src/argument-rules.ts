import { closed, oneOfTexts, scalars, type ArgumentShape } from './argument-shape.js';
import { closedBlockNode, closedNetdev, internalCharacterDevice, internalObject } from './back-end-rules.js';
import type { CommandClass } from './command-class.js';
import type { ServerKind } from './server-kinds.js';
import { pluggableDevice, pluggableStratovirtDevice } from './device-rules.js';
import { secretPropertyName } from './secret-properties.js';

/** Arguments of exactly this shape need only `class`. This is the only way to get below a command's own class. */
export interface Lowering {
  readonly rule: string;
  readonly family: ServerKind;
  readonly commands: readonly string[];
  readonly class: CommandClass;
  readonly reason: string;
  readonly shape: ArgumentShape;
}

/** A member that raises the class, or says more exactly why the command is `host` anyway. */
export interface Raising {
  readonly rule: string;
  readonly commands: readonly string[];
  /** Only servers of these kinds; all when absent. */
  readonly kinds?: readonly ServerKind[];
  /** The first release that the rule applies to, and the first that it no longer applies to; no limit if absent. */
  readonly from?: string;
  readonly before?: string;
  /**
   * Member names from the arguments down; `*` is any item of a list. Empty: the command itself, whatever its arguments.
   */
  readonly member: readonly string[];
  /** The values that it applies to; any if absent. */
  readonly value?: RegExp;
  readonly class: CommandClass;
  readonly reason: string;
}

/**
 * `info` commands without arguments that only read. Matched literally, because HMP accepts abbreviations and free
 * arguments.
 */
const harmlessInfo = [
  ...['accelerators', 'balloon', 'block', 'block-jobs', 'blockstats', 'chardev', 'cpus', 'cryptodev', 'dump'],
  ...['hotpluggable-cpus', 'iothreads', 'irq', 'jit', 'kvm', 'memdev', 'memory-devices', 'memory_size_summary', 'mice'],
  ...['migrate', 'migrate_capabilities', 'migrate_parameters', 'mtree', 'name', 'network', 'numa', 'pci', 'pic', 'qdm'],
  ...['qom-tree', 'qtree', 'ramblock', 'registers', 'replay', 'roms', 'sev', 'sgx', 'snapshots', 'spice', 'status'],
  ...['tpm', 'usb', 'uuid', 'version', 'vm-generation-id', 'vnc'],
].map((topic) => `info ${topic}`);

export const lowerings: readonly Lowering[] = [
  {
    rule: 'device_add:driver',
    family: 'qemu',
    commands: ['device_add'],
    class: 'configure',
    reason: 'an emulated device with properties that name nothing of the host',
    shape: pluggableDevice,
  },
  {
    rule: 'device_add:driver',
    family: 'stratovirt',
    commands: ['device_add'],
    class: 'configure',
    reason: 'an emulated device with properties that name nothing of the host',
    shape: pluggableStratovirtDevice,
  },
  {
    rule: 'netdev_add:type',
    family: 'qemu',
    commands: ['netdev_add'],
    class: 'configure',
    reason: 'a network back-end that reaches nothing of the host',
    shape: closedNetdev,
  },
  {
    rule: 'object-add:qom-type',
    family: 'qemu',
    commands: ['object-add'],
    class: 'configure',
    reason: 'an object that lives inside QEMU',
    shape: internalObject,
  },
  {
    rule: 'chardev-add:type',
    family: 'qemu',
    commands: ['chardev-add', 'chardev-change'],
    class: 'configure',
    reason: 'a character device with nothing of the host behind it',
    shape: internalCharacterDevice,
  },
  {
    rule: 'blockdev-add:driver',
    family: 'qemu',
    commands: ['blockdev-add'],
    class: 'configure',
    reason: 'a block node that opens no file, device or connection',
    shape: closedBlockNode,
  },
  {
    rule: 'human-monitor-command:info',
    family: 'qemu',
    commands: ['human-monitor-command'],
    class: 'read',
    reason: 'an info command without arguments that only reads',
    shape: closed({ 'command-line': oneOfTexts(...harmlessInfo), ...scalars('cpu-index') }, 'command-line'),
  },
  {
    rule: 'human-monitor-command:info',
    family: 'stratovirt',
    commands: ['human-monitor-command'],
    class: 'read',
    reason: 'an info command without arguments that only reads',
    shape: closed({ 'command-line': oneOfTexts('info snapshots') }, 'command-line'),
  },
];

/** A pseudo-protocol, a URL or an absolute path, where the schema has the file name of an image in use. */
const hostFile = /^\/|^[A-Za-z][A-Za-z0-9+.-]*:/;

/**
 * Types whose properties QEMU lists by creating an object of them, which ended the process in tests: parts in a module
 * that is not installed, finalizers that fail, missing parts of a machine. Tried with every type of QEMU 5.2, 7.2 and
 * 11.1; releases between a failing one and a working one count as failing.
 */
const fatalTypes: readonly Pick<Raising, 'value' | 'from' | 'before'>[] = [
  { value: /^(?:virtio-(?:gpu|vga)-(?:gl|rutabaga).*|x-remote-object)$/ },
  { value: /^(?:microvm-machine|colo-compare|qio-net-listener)$/, before: '11.1' },
  { value: /^chardev-(?:wctablet|msmouse)$/, before: '7.2' },
  // Before a machine exists (`-preconfig`).
  { value: /-cpu$/, from: '8.0' },
];

/** Rules that raise the class, the most informative first: of several that set the same class the first is reported. */
export const raisings: readonly Raising[] = [
  {
    rule: 'qom-get:secret',
    commands: ['qom-get'],
    member: ['property'],
    value: secretPropertyName,
    class: 'host',
    reason: 'a property of this name is, or may be, a secret',
  },
  {
    rule: 'migrate:exec',
    commands: ['migrate', 'migrate-incoming', 'migrate-recover'],
    member: ['uri'],
    value: /^exec:/,
    class: 'host',
    reason: 'exec: runs a shell command on the host',
  },
  {
    rule: 'migrate:exec',
    commands: ['migrate', 'migrate-incoming'],
    member: ['channels', '*', 'addr', 'transport'],
    value: /^exec$/,
    class: 'host',
    reason: 'the exec transport runs a program on the host',
  },
  {
    rule: 'migrate:file',
    commands: ['migrate', 'migrate-incoming', 'migrate-recover'],
    member: ['uri'],
    value: /^file:/,
    class: 'host',
    reason: 'file: reads or writes a host file',
  },
  {
    rule: 'migrate:file',
    commands: ['migrate', 'migrate-incoming'],
    member: ['channels', '*', 'addr', 'transport'],
    value: /^file$/,
    class: 'host',
    reason: 'the file transport reads or writes a host file',
  },
  {
    rule: 'migrate-set-parameters:cpr-exec-command',
    commands: ['migrate-set-parameters'],
    member: ['cpr-exec-command'],
    class: 'host',
    reason: 'cpr-exec-command is run in place of QEMU by a migration in mode cpr-exec',
  },
  {
    rule: 'block-job:backing-file',
    commands: ['block-commit', 'block-stream'],
    member: ['backing-file'],
    class: 'host',
    reason: 'backing-file writes a host path into image metadata, to be opened later',
  },
  ...['base', 'top'].map((member) => ({
    rule: 'block-job:file-name',
    commands: ['block-commit', 'block-stream'],
    member: [member],
    value: hostFile,
    class: 'host' as const,
    reason: `${member} names a host file, a URL or a json: pseudo-file; use ${member}-node`,
  })),
  ...fatalTypes.map((types) => ({
    rule: 'list-properties:fatal-type',
    commands: ['device-list-properties', 'qom-list-properties'],
    // The releases are QEMU's.
    kinds: ['qemu', 'storage-daemon'] as const,
    member: ['typename'],
    class: 'configure' as const,
    reason: 'making an object of this type to list its properties ends the process in some builds',
    ...types,
  })),
  {
    rule: 'query-acpi-ospm-status:fatal',
    commands: ['query-acpi-ospm-status'],
    kinds: ['qemu'],
    before: '7.2',
    member: [],
    class: 'configure',
    reason: 'it ends this QEMU on a machine whose ACPI device does not tell it (microvm)',
  },
  {
    rule: 'human-monitor-command:fatal',
    commands: ['human-monitor-command'],
    kinds: ['qemu'],
    before: '7.2',
    member: ['command-line'],
    value: /^info jit$/,
    class: 'host',
    reason: 'info jit ends this QEMU where no code was translated yet (machine none)',
  },
  {
    rule: 'query-events:fatal',
    commands: ['query-events'],
    kinds: ['storage-daemon'],
    before: '6.0',
    member: [],
    class: 'configure',
    reason: 'it ends this storage daemon, which lists the events of QEMU and knows only its own',
  },
  {
    rule: 'object-add:file',
    commands: ['object-add'],
    member: ['file'],
    class: 'host',
    reason: 'file opens a host file',
  },
  {
    rule: 'device_add:romfile',
    commands: ['device_add'],
    member: ['romfile'],
    class: 'host',
    reason: 'romfile reads a host file into memory the guest can read',
  },
  {
    rule: 'chardev-add:logfile',
    commands: ['chardev-add', 'chardev-change'],
    member: ['backend', 'data', 'logfile'],
    class: 'host',
    reason: 'logfile writes a host file',
  },
];

/**
 * Actions of `transaction` that are classified like the command of the same name with their `data` as its arguments.
 * Any other action is class `host`.
 */
export const transactionActions: ReadonlySet<string> = new Set([
  ...['block-dirty-bitmap-add', 'block-dirty-bitmap-remove', 'block-dirty-bitmap-clear'],
  ...['block-dirty-bitmap-enable', 'block-dirty-bitmap-disable', 'block-dirty-bitmap-merge'],
  ...['x-block-dirty-bitmap-enable', 'x-block-dirty-bitmap-disable', 'x-block-dirty-bitmap-merge'],
  ...['blockdev-backup', 'blockdev-snapshot', 'blockdev-snapshot-internal-sync'],
  ...['blockdev-snapshot-sync', 'drive-backup'],
]);
