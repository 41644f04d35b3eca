import type { Ruling } from '@qmp-gateway/catalog';
import { parseEndpoint } from '@qmp-gateway/qmp';
import type { CommandTrace } from '../commands/command-request.js';
import type { RequestCommands } from '../commands/request-commands.js';
import { Turns, type NoTurn } from '../commands/turns.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import type { PictureDirectory, PicturePlace } from './picture-directory.js';
import { isPng, writePng } from './png.js';
import { readPpm } from './ppm.js';

/**
 * `screendump` is of class `host`, because its caller names the file that QEMU writes. Here the caller names none: the
 * file is in a directory of the gateway's own, which nobody else can enter, and gone with the answer. What is left is a
 * look at the guest's display, which changes nothing: `read`. For the same reason `hostCommands: false`, which keeps
 * callers from the host, does not keep anybody from this. Whom the credentials deny `screendump` by name is refused.
 */
const ruling: Ruling = {
  class: 'read',
  rule: 'screen',
  reason: 'a look at the display; the file is in a directory of the gateway, and gone with the answer',
};

/** Pictures read at once: each may be held in memory twice. A QEMU that has not answered yet costs none of it. */
const mostAtOnce = 16;
/** Pictures that wait, as files, to be read. */
const mostWaiting = 240;
const longestWaitMs = 10_000;

/** Which display. QEMU's own default is the first. */
export interface Display {
  /** Id of a display device. */
  readonly device?: string;
  /** Of a device with several; only with `device`. */
  readonly head?: number;
}

export interface Picture {
  readonly png: Buffer;
  readonly trace: CommandTrace;
}

/** Pictures of what VMs show. */
export class Screenshots {
  constructor(
    private readonly pictures: PictureDirectory,
    private readonly reading = new Turns(mostAtOnce, mostWaiting),
  ) {}

  /**
   * PNG from QEMU itself where it makes them (7.1 and later, when built with it), else made here of its PPM.
   * @param endsAt `performance.now()` at which nobody waits any more
   * @throws Problem `not-offered` for a VM that shares no file system with the gateway, `too-many-requests` or
   *   `deadline-exceeded` while others are read, `no-display`, or that of the command
   */
  async take(commands: RequestCommands, vm: Vm, display: Display, endsAt = Infinity): Promise<Picture> {
    const { kind } = parseEndpoint(vm.definition.endpoint);
    if (kind !== 'unix' && kind !== 'listen-unix')
      throw new Problem(
        'not-offered',
        'A picture comes by way of a file, so it is had of VMs of this host only: those whose monitor is a unix socket.',
        { vm: vm.id },
      );
    const place = await this.pictures.place();
    try {
      const trace = await dump(place, commands, makesPng(vm), display).catch(async (error: unknown) => {
        throw await withReason(error, vm);
      });
      vm.displaySeen(true);
      const waitMs = Math.min(longestWaitMs, endsAt - performance.now());
      const png = await this.reading.run(
        () => readAsPng(place, vm),
        waitMs,
        (why) => notRead(why, vm),
      );
      return { png, trace };
    } finally {
      await place.remove();
    }
  }
}

/** QEMU gives no file and no display the same class of error: it is asked what it has. */
async function withReason(error: unknown, vm: Vm): Promise<unknown> {
  if (!(error instanceof Problem) || error.code !== 'command-failed') return error;
  if ((await vm.lookForDisplay()) !== false) return error;
  return new Problem(
    'no-display',
    'The VM has no display. Start it with a display device, such as -vga std or -device virtio-gpu-pci; nobody needs to look at it: -display none will do.',
    error.fields,
  );
}

async function readAsPng(place: PicturePlace, vm: Vm): Promise<Buffer> {
  const bytes = await place.read();
  if (bytes === undefined)
    throw new Problem('not-offered', 'The VM wrote its picture, but not where the gateway can see it.', {
      ...{ vm: vm.id, outcome: 'unknown' },
    });
  if (isPng(bytes)) return bytes;
  const pixels = readPpm(bytes);
  if (pixels === undefined) throw new Error(`${vm.id} wrote a picture that is neither PNG nor PPM`);
  return await writePng(pixels);
}

/** The VM has done its part; to look at it again harms nobody. */
function notRead(why: NoTurn, vm: Vm): Problem {
  const fields = { vm: vm.id, outcome: 'unknown', retryable: true } as const;
  return why === 'full'
    ? new Problem('too-many-requests', `${mostWaiting} pictures wait to be read already.`, fields)
    : new Problem('deadline-exceeded', 'The picture was made, but its turn to be read did not come in time.', fields);
}

async function dump(
  place: PicturePlace,
  commands: RequestCommands,
  png: boolean,
  display: Display,
): Promise<CommandTrace> {
  const run = async (format: object): Promise<CommandTrace> => {
    const args = JSON.stringify({ filename: place.file, ...display, ...format });
    return (await commands.run('screendump', args, { ruling, part: true })).trace;
  };
  try {
    if (!png) return await run({});
    // A build without libpng has the word in its schema all the same, and refuses it.
    return await run({ format: 'png' }).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'command-failed') return run({});
      throw error;
    });
  } catch (error) {
    throw withoutPath(error, place.file);
  }
}

function makesPng({ schema }: Vm): boolean {
  const members = schema?.commands.get('screendump')?.definition.arguments.members ?? [];
  return members.some(({ name }) => name === 'format');
}

/** Where the gateway has its files is no business of callers. An error that names ours is one about writing it. */
function withoutPath(error: unknown, file: string): unknown {
  if (!(error instanceof Problem) || !error.detail.includes(file)) return error;
  const hide = (text: string) => text.replaceAll(file, '<picture>');
  const { qmp } = error.fields;
  return new Problem(
    error.code,
    `${hide(error.detail)}. QEMU must be able to write where the gateway has its pictures: on the same file system, and as the same user. For QEMUs of another user, as libvirt's are, there is the setting pictures.`,
    { ...error.fields, ...(qmp === undefined ? {} : { qmp: { class: qmp.class, desc: hide(qmp.desc) } }) },
  );
}
