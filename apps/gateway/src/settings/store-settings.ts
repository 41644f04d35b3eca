import { group } from './object-type.js';
import { Setting } from './setting.js';
import { boolean, wholeNumber } from './setting-type.js';
import { duration, groupName, path, size } from './value-types.js';

/** Where the audit log goes and whether commands may run without it. */
export class AuditSettings {
  @Setting({
    what: 'File name inside the state directory, or an absolute path. SIGHUP opens it again.',
    is: path(),
    default: 'audit.log',
    example: 'audit.log',
    restart: true,
  })
  readonly file!: string;

  @Setting({
    what: 'Refuse commands while the log cannot be written.',
    is: boolean(),
    default: false,
    example: 'true',
    restart: true,
  })
  readonly required!: boolean;
}

/** How much is kept of past events, in all. */
export class HistorySettings {
  @Setting({
    what: 'Number of events.',
    is: wholeNumber(0, 10_000_000),
    default: 100_000,
    example: '100000',
    restart: true,
  })
  readonly events!: number;

  @Setting({ what: 'Their size.', is: size(), default: '64MiB', example: '64MiB', restart: true })
  readonly bytes!: number;
}

/** Where VMs write pictures of their screens for the gateway, and which group of theirs may. */
export class PictureSettings {
  @Setting({
    what: 'Directory that QEMU can reach. The gateway creates it if it does not exist. Each gateway needs its own.',
    is: path(),
    defaultText: '`pictures` in the state directory',
    example: '/run/qmp-gateway/pictures',
    flag: { spelling: '--pictures-dir <dir>', what: 'directory where QEMU writes pictures for the gateway' },
    restart: true,
  })
  readonly dir?: string;

  @Setting({
    what: 'Group of QEMUs that run as another user than the gateway. The gateway must be in it too. Needs `dir`.',
    is: groupName(),
    example: 'kvm',
    flag: { spelling: '--pictures-group <group>', what: 'group of the QEMUs that run as another user' },
    restart: true,
  })
  readonly group?: string;
}

/** Bounds. */
export class Limits {
  @Setting({
    what: 'Size of one encoded command. QEMU reads its input at about 270 KB/s.',
    is: size(),
    default: '64KiB',
    example: '64KiB',
  })
  readonly commandBytes!: number;

  @Setting({ what: 'Size of the body of a request.', is: size(), default: '1MiB', example: '1MiB' })
  readonly bodyBytes!: number;

  @Setting({ what: 'Size of a file written to a guest.', is: size(), default: '1GiB', example: '8GiB' })
  readonly fileBytes!: number;

  @Setting({ what: 'Commands that wait for one VM.', is: wholeNumber(1), default: 1000, example: '1000' })
  readonly queue!: number;

  @Setting({
    what: 'Size of the answers that wait for slow readers, in all.',
    is: size(),
    default: '256MiB',
    example: '256MiB',
  })
  readonly replyBytes!: number;

  @Setting({ what: 'Size of one line from a VM.', is: size(), default: '64MiB', example: '64MiB', restart: true })
  readonly lineBytes!: number;

  @Setting({
    what: 'Open connections over all listeners. The gateway uses at most three quarters of the descriptors that the process may have, because VMs need some.',
    is: wholeNumber(1),
    default: 10_000,
    example: '10000',
    restart: true,
  })
  readonly connections!: number;

  @Setting({
    what: 'Displays that one principal may have open.',
    is: wholeNumber(1),
    default: 100,
    example: '100',
  })
  readonly displays!: number;

  @Setting({
    what: 'How long somebody may hold the keyboard of a display and type nothing; `0` for any time. Who only looks is not concerned.',
    is: duration(),
    default: '1h',
    example: '10m',
  })
  readonly displayIdle!: number;

  @Setting({
    what: 'Requests per second of one principal; 0 for any number.',
    is: wholeNumber(0),
    default: 0,
    example: '50',
  })
  readonly requestsPerSecond!: number;
}

export const auditType = group(AuditSettings);
export const historyType = group(HistorySettings);
export const picturesType = group(PictureSettings);
export const limitsType = group(Limits);
