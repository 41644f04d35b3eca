import type { Ruling } from '@qmp-gateway/catalog';
import { parseEndpoint } from '@qmp-gateway/qmp';
import type { CommandTrace } from '../http/command-trace.js';
import type { RequestCommands } from '../commands/request-commands.js';
import { WaitingLine, type NoPlace } from '../bounds/waiting-line.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import type { PictureDirectory, PicturePlace } from './picture-directory.js';
import { isPng, writePng } from './png.js';
import { readPpm } from './ppm.js';
import type { Picture, VncPictures } from './vnc-pictures.js';

/**
 * `screendump` is of class `host`, because its caller names the file that QEMU writes. Here the gateway names the file,
 * in a directory of its own that nobody else can enter, and removes it with the answer. What remains is a read of the
 * guest's display, which changes nothing: `read`. For the same reason `hostCommands: false`, which keeps callers from
 * the host, does not disable it. Credentials that deny `screendump` by name deny it.
 */
export const screenRuling: Ruling = {
  class: 'read',
  rule: 'screen',
  reason: 'a look at the display; the file is in a directory of the gateway, and gone with the answer',
};

/** Pictures read at once: each may be in memory twice. A QEMU that has not answered yet uses none of these places. */
const mostAtOnce = 16;
/** Pictures that wait to be read, as files. */
const mostWaiting = 240;
const longestWaitMs = 10_000;

/** Selects a display. QEMU's own default is the first. */
export interface Display {
  /** Id of a display device. */
  readonly device?: string;
  /** One of several heads of a device; only with `device`. */
  readonly head?: number;
}

/** How one picture is taken. */
export interface Look {
  /** `performance.now()` at which the caller stops waiting. */
  readonly endsAt?: number;
  /** Why the caller may not have a picture; asked where no command is run that would be refused. */
  readonly refusal?: () => Problem | undefined;
}

/** No picture can come by way of a file. */
class NoFile {
  constructor(readonly problem: Problem) {}
}

/** Pictures of the screens of VMs. */
export class Screenshots {
  readonly #overVnc = new WeakMap<Vm, WaitingLine>();

  constructor(
    private readonly pictures: PictureDirectory,
    private readonly vnc: VncPictures,
    private readonly reading = new WaitingLine(mostAtOnce, mostWaiting),
  ) {}

  /**
   * PNG from QEMU itself if it can (7.1 and later, when built with it), otherwise converted here from its PPM. Where QEMU
   * cannot write a file that the gateway can read, as under libvirt, the first display is had over VNC if it has one.
   * @throws Problem `not-offered` for a VM that shares no file system with the gateway and has no VNC display,
   * `too-many-requests` or `deadline-exceeded` while others are read, `no-display`, or that of the command
   */
  async take(
    commands: RequestCommands,
    vm: Vm,
    display: Display,
    { endsAt = Infinity, refusal }: Look = {},
  ): Promise<Picture> {
    const taken = await this.#byFile(commands, vm, display, endsAt);
    if (!(taken instanceof NoFile)) return taken;
    // VNC does not tell which device a display shows.
    if (display.device !== undefined) throw taken.problem;
    const refused = refusal?.();
    if (refused !== undefined) throw refused;
    const seen = await this.#oneOf(vm, endsAt, () =>
      this.#inTurn(() => this.vnc.take(commands, vm, endsAt), vm, endsAt),
    );
    if (seen === undefined) throw taken.problem;
    vm.displaySeen(true);
    return seen;
  }

  async #byFile(commands: RequestCommands, vm: Vm, display: Display, endsAt: number): Promise<Picture | NoFile> {
    if (vm.schema?.commands.has('screendump') === false)
      throw new Problem('no-display', 'The VM has no display: its server has no command screendump.', {
        ...{ vm: vm.id, command: 'screendump', outcome: 'not-sent' },
      });
    const { kind } = parseEndpoint(vm.definition.endpoint);
    if (kind !== 'unix' && kind !== 'listen-unix')
      return new NoFile(
        new Problem(
          'not-offered',
          'A picture comes by way of a file, so of VMs whose monitor is a unix socket of this host; or over VNC, of VMs that have it without a password.',
          { vm: vm.id },
        ),
      );
    const place = await this.pictures.place();
    try {
      const dumped = await dump(place, commands, makesPng(vm), display).catch(async (error: unknown) => {
        throw await withReason(error, vm);
      });
      if (dumped instanceof NoFile) return dumped;
      vm.displaySeen(true);
      const png = await this.#inTurn(() => readAsPng(place, vm), vm, endsAt);
      return png instanceof NoFile ? png : { png, trace: dumped };
    } finally {
      await place.remove();
    }
  }

  #inTurn<T>(read: () => Promise<T>, vm: Vm, endsAt: number, line = this.reading): Promise<T> {
    const waitMs = Math.min(longestWaitMs, endsAt - performance.now());
    return line.run(read, waitMs, (why) => notRead(why, vm));
  }

  /** A display that says nothing keeps its place for as long: those of one VM must not take the places of all. */
  #oneOf<T>(vm: Vm, endsAt: number, read: () => Promise<T>): Promise<T> {
    const line = this.#overVnc.get(vm) ?? new WaitingLine(1, mostWaiting);
    this.#overVnc.set(vm, line);
    return this.#inTurn(read, vm, endsAt, line);
  }
}

/**
 * QEMU reports a failed file and a missing display with the same class of error, so the gateway queries the VM's
 * devices.
 */
async function withReason(error: unknown, vm: Vm): Promise<unknown> {
  if (!(error instanceof Problem) || error.code !== 'command-failed') return error;
  if ((await vm.lookForDisplay()) !== false) return error;
  return new Problem(
    'no-display',
    'The VM has no display. Start it with a display device, such as -vga std or -device virtio-gpu-pci; -display none is sufficient.',
    error.fields,
  );
}

async function readAsPng(place: PicturePlace, vm: Vm): Promise<Buffer | NoFile> {
  const bytes = await place.read();
  if (bytes === undefined)
    return new NoFile(
      new Problem('not-offered', 'The VM wrote its picture, but not where the gateway can see it.', {
        ...{ vm: vm.id, outcome: 'unknown' },
      }),
    );
  if (isPng(bytes)) return bytes;
  const pixels = readPpm(bytes);
  if (pixels === undefined) throw new Error(`${vm.id} wrote a picture that is neither PNG nor PPM`);
  return await writePng(pixels);
}

/** The VM has written its picture; taking another one is harmless. */
function notRead(why: NoPlace, vm: Vm): Problem {
  const fields = { vm: vm.id, outcome: 'unknown', retryable: true } as const;
  return why === 'full'
    ? new Problem('too-many-requests', `${mostWaiting} pictures already wait to be read.`, fields)
    : new Problem('deadline-exceeded', 'The picture was made, but its turn to be read did not come in time.', fields);
}

async function dump(
  place: PicturePlace,
  commands: RequestCommands,
  png: boolean,
  display: Display,
): Promise<CommandTrace | NoFile> {
  const run = async (format: object): Promise<CommandTrace> => {
    const args = JSON.stringify({ filename: place.file, ...display, ...format });
    return (await commands.run('screendump', args, { ruling: screenRuling, part: true })).trace;
  };
  try {
    if (!png) return await run({});
    // A build without libpng still has `png` in its schema, and refuses it.
    return await run({ format: 'png' }).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'command-failed') return run({});
      throw error;
    });
  } catch (error) {
    const shown = withoutPath(error, place.file);
    if (shown === error) throw error;
    return new NoFile(shown as Problem);
  }
}

function makesPng({ schema }: Vm): boolean {
  const members = schema?.commands.get('screendump')?.definition.arguments.members ?? [];
  return members.some(({ name }) => name === 'format');
}

/** Callers must not see the gateway's paths. An error that names the file is about writing it. */
function withoutPath(error: unknown, file: string): unknown {
  if (!(error instanceof Problem) || !error.detail.includes(file)) return error;
  const hide = (text: string) => text.replaceAll(file, '<picture>');
  const { qmp } = error.fields;
  return new Problem(
    error.code,
    `${hide(error.detail)}. QEMU must be able to write in the gateway's directory of pictures: on the same file system, and as the same user. For QEMUs of another user, such as libvirt's, use the setting pictures.`,
    { ...error.fields, ...(qmp === undefined ? {} : { qmp: { class: qmp.class, desc: hide(qmp.desc) } }) },
  );
}
