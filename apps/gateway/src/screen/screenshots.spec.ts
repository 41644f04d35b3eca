import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeTempDir, removeTempDir } from '@qmp-gateway/test-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Principal } from '../access/principal.js';
import type { CommandAsker, CommandRequest } from '../commands/command-request.js';
import { RequestCommands } from '../commands/request-commands.js';
import { systemClock } from '@qmp-gateway/qmp';
import { WaitingLine } from '../bounds/waiting-line.js';
import { Problem } from '../problems/problem.js';
import type { Vm } from '../vms/vm.js';
import { PictureDirectory } from './picture-directory.js';
import { isPng, writePng } from './png.js';
import { Screenshots, type Look } from './screenshots.js';
import { VncPictures } from './vnc-pictures.js';

interface Dump {
  readonly filename: string;
  readonly format?: string;
  readonly device?: string;
  readonly head?: number;
}

let directory: string;
let pictures: string;
beforeEach(() => {
  directory = makeTempDir();
  pictures = join(directory, 'pictures');
});
afterEach(() => removeTempDir(directory));

const ppm = Buffer.concat([Buffer.from('P6\n2 1\n255\n'), Buffer.from([1, 2, 3, 4, 5, 6])]);
const png = () => writePng({ width: 1, height: 1, rgb: Buffer.from([9, 8, 7]) });
const failed = (desc: string) =>
  new Problem('command-failed', desc, { outcome: 'refused', qmp: { class: 'GenericError', desc } });

function vm(members: readonly string[], endpoint = 'unix:/run/web-1.qmp', display: boolean | null = true): Vm {
  const definition = { arguments: { members: members.map((name) => ({ name })) } };
  const commands = new Map([['screendump', { definition }]]);
  const of = { id: 'web-1', definition: { endpoint }, schema: { commands }, display };
  const displaySeen = (seen: boolean) => (of.display = seen);
  return { ...of, displaySeen, lookForDisplay: () => Promise.resolve(of.display) } as unknown as Vm;
}

/** No VM has a VNC display. */
const screenshotsOf = (line?: WaitingLine) => {
  const listing = { servers: [], reason: 'none', trace: {} };
  const displays = { list: () => Promise.resolve(listing), reach: () => ({ reason: 'none' }) };
  return new Screenshots(new PictureDirectory(pictures), new VncPictures(displays, systemClock), line);
};

/** Takes a picture of a VM that does this when asked for one. */
async function take(
  of: Vm,
  dump: (dump: Dump, request: CommandRequest) => Promise<Problem | undefined> | Problem | undefined,
  display: { device?: string; head?: number } = {},
  screenshots = screenshotsOf(),
  look: Look = {},
) {
  const principal = new Principal('token:a', 'a', { level: 'read', vms: ['*'] });
  const path = {
    execute: (request: CommandRequest, asker: CommandAsker) => {
      const args = request.arguments.kind === 'json' ? String(request.arguments.json) : '{}';
      void Promise.resolve(dump(JSON.parse(args) as Dump, request)).then((problem) => {
        const trace = { epoch: 'run.1' };
        asker.answered(problem === undefined ? { ok: true, json: '{}', trace } : { ok: false, problem, trace });
      });
    },
  };
  const commands = new RequestCommands(path, { principal, requestId: 'r', vm: of.id });
  return screenshots.take(commands, of, display, look);
}

/** A VM that puts this where its picture should be. */
const writing = (write: (file: string) => void) => (dump: Dump) => {
  write(dump.filename);
  return undefined;
};

const modern = vm(['filename', 'device', 'head', 'format']);
const old = vm(['filename', 'device', 'head']);

describe('a picture', () => {
  it('is the PNG of QEMU where it makes them', async () => {
    const wanted = await png();
    const taken = await take(
      modern,
      ({ filename, format, ...display }, request) => {
        expect([format, display]).toEqual(['png', { device: 'vga0', head: 1 }]);
        expect(request).toMatchObject({ command: 'screendump', ruling: { class: 'read', rule: 'screen' } });
        expect(statSync(pictures).mode & 0o777).toBe(0o700);
        expect(statSync(dirname(filename)).mode & 0o777).toBe(0o700);
        writeFileSync(filename, wanted);
        return undefined;
      },
      { device: 'vga0', head: 1 },
    );
    expect(taken.png).toEqual(wanted);
    expect(taken.trace).toEqual({ epoch: 'run.1' });
  });

  it('is made of PPM where QEMU is too old, or built without PNG', async () => {
    const fromPpm = (dump: Dump) => {
      if (dump.format !== undefined) return failed('no PNG');
      writeFileSync(dump.filename, ppm);
      return undefined;
    };
    for (const of of [old, modern]) expect(isPng((await take(of, fromPpm)).png)).toBe(true);
  });

  it('leaves nothing behind, however it ends', async () => {
    await take(
      old,
      writing((file) => writeFileSync(file, ppm)),
    );
    const late = new Problem('deadline-exceeded', 'late', { outcome: 'unknown' });
    let place = '';
    await expect(
      take(old, ({ filename }) => {
        place = filename;
        writeFileSync(filename, 'half');
        return late;
      }),
    ).rejects.toBe(late);
    // QEMU comes late: there is no place any more.
    expect(existsSync(dirname(place))).toBe(false);
    await expect(
      take(
        old,
        writing((file) => writeFileSync(file, 'no picture')),
      ),
    ).rejects.toThrow('neither');
    expect(readdirSync(pictures)).toEqual([]);
  });
});

describe('a picture that QEMU refuses', () => {
  const blank = (display: boolean | null) => vm(['filename', 'device', 'head'], undefined, display);

  it('is no-display of a VM that has none, and as QEMU said it of one that has, or where that is not known', async () => {
    const refusal = failed('whatever QEMU says');
    const refused = (of: Vm) => take(of, () => refusal);
    await expect(refused(blank(false))).rejects.toMatchObject({
      ...{ code: 'no-display', status: 409, detail: expect.stringContaining('-device virtio-gpu-pci') as string },
      fields: { outcome: 'refused', qmp: { class: 'GenericError', desc: 'whatever QEMU says' } },
    });
    for (const display of [true, null]) await expect(refused(blank(display))).rejects.toBe(refusal);
  });

  it('is no-display of a server without the command, wherever it is', async () => {
    for (const endpoint of ['unix:/nowhere', 'tcp:127.0.0.1:1']) {
      const daemon = { id: 'd', definition: { endpoint }, schema: { commands: new Map() } } as unknown as Vm;
      await expect(take(daemon, () => undefined)).rejects.toMatchObject({
        ...{ code: 'no-display', retryable: false, outcome: 'not-sent' },
        detail: expect.stringContaining('no command screendump') as unknown,
      });
    }
  });

  it('for another reason than what it shows is told as it is', async () => {
    const late = new Problem('deadline-exceeded', 'late', { outcome: 'unknown' });
    await expect(take(blank(false), () => late)).rejects.toBe(late);
  });
});

describe('pictures at once', () => {
  it('of VMs that do not answer take nothing from others', async () => {
    const screenshots = screenshotsOf();
    const asked: ((problem: Problem) => void)[] = [];
    const silent = Array.from({ length: 20 }, () =>
      take(old, () => new Promise<Problem>((resolve) => asked.push(resolve)), {}, screenshots),
    );
    const ended = Promise.allSettled(silent);
    const answering = Array.from({ length: 20 }, () =>
      take(
        old,
        writing((file) => writeFileSync(file, ppm)),
        {},
        screenshots,
      ),
    );
    for (const { png: taken } of await Promise.all(answering)) expect(isPng(taken)).toBe(true);
    await expect.poll(() => asked.length).toBe(20);
    for (const end of asked) end(new Problem('deadline-exceeded', 'late', { outcome: 'unknown' }));
    expect((await ended).map(({ status }) => status)).toEqual(Array(20).fill('rejected'));
    expect(readdirSync(pictures)).toEqual([]);
  });

  it('wait to be read, so many and so long', async () => {
    const line = new WaitingLine(1, 1);
    const screenshots = screenshotsOf(line);
    const written = writing((file) => writeFileSync(file, ppm));
    let release = (): void => undefined;
    const held = line.run(
      () => new Promise<void>((resolve) => (release = resolve)),
      0,
      (why) => new Error(why),
    );
    // The VM has seen the command by then.
    const fields = { vm: 'web-1', outcome: 'unknown', retryable: true };
    await expect(take(old, written, {}, screenshots, { endsAt: performance.now() })).rejects.toMatchObject({
      ...{ code: 'deadline-exceeded', fields },
    });
    const taken = [1, 2].map(() => take(old, written, {}, screenshots));
    for (const one of taken) one.catch(() => release());
    const ends = (await Promise.allSettled(taken)).sort((one, other) => one.status.localeCompare(other.status));
    expect(ends).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'too-many-requests', fields } },
    ]);
    await held;
    expect(readdirSync(pictures)).toEqual([]);
  });
});

describe('no picture', () => {
  it.each(['tcp:127.0.0.1:4444', 'tls:host:4444', 'listen:tls:0.0.0.0:4444'])('of a VM at %s', async (endpoint) => {
    const remote = take(vm(['filename'], endpoint), () => failed('asked'));
    await expect(remote).rejects.toMatchObject({ code: 'not-offered', fields: { vm: 'web-1' } });
    expect(existsSync(pictures)).toBe(false);
  });

  it('of a VM that wrote it somewhere else', async () => {
    await expect(take(old, () => undefined)).rejects.toMatchObject({ code: 'not-offered', outcome: 'unknown' });
  });

  it('by way of a link', async () => {
    const secret = join(directory, 'secret');
    writeFileSync(secret, await png());
    await expect(
      take(
        old,
        writing((file) => {
          rmSync(file);
          symlinkSync(secret, file);
        }),
      ),
    ).rejects.toThrow('ELOOP');
    await expect(
      take(
        old,
        writing((file) => {
          rmSync(file);
          mkdirSync(file);
        }),
      ),
    ).rejects.toThrow('not a picture');
  });

  it('of a file that grows while it is read: it would have no bound', async () => {
    const wanted = await png();
    const handle = await open(join(directory, 'any'), 'w');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    let written = '';
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called as the method it is
    const { stat } = prototype;
    const spy = vi.spyOn(prototype, 'stat').mockImplementation(async function (this: FileHandle) {
      const status = await stat.call(this);
      appendFileSync(written, wanted);
      return status;
    });
    try {
      const taken = take(
        old,
        writing((file) => {
          written = file;
          writeFileSync(file, 'P6');
        }),
      );
      await expect(taken).rejects.toThrow('it grows');
      expect(readdirSync(pictures)).toEqual([]);
    } finally {
      spy.mockRestore();
    }
  });

  it('that tells where the gateway has its files', async () => {
    const refusal: unknown = await take(modern, ({ filename }) => failed(`cannot open '${filename}': no`)).catch(
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({
      code: 'command-failed',
      detail: expect.stringContaining('as the same user') as unknown,
      fields: { qmp: { desc: "cannot open '<picture>': no" } },
    });
    expect(JSON.stringify(refusal)).not.toContain(directory);
    await expect(take(modern, () => failed('there is no console'))).rejects.toMatchObject({
      detail: 'there is no console',
    });
  });
});

it('what a killed gateway left is removed at the start', async () => {
  mkdirSync(join(pictures, 'screen-abc'), { recursive: true });
  writeFileSync(join(pictures, 'screen-abc', 'picture'), 'old');
  const own = new PictureDirectory(pictures);
  writeFileSync(join(pictures, 'of others'), '');
  own.clear();
  expect(readdirSync(pictures)).toEqual(['of others']);
  await (await own.place()).remove();
  expect(readdirSync(pictures)).toEqual(['of others']);
});

it('is written by QEMUs of a group who can do nothing else there', async () => {
  const { gid } = statSync(directory);
  const place = await new PictureDirectory(pictures, gid).place();
  const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
  expect([pictures, dirname(place.file), place.file].map(modeOf)).toEqual(['710', '710', '620']);
  expect([pictures, dirname(place.file), place.file].map((path) => statSync(path).gid)).toEqual([gid, gid, gid]);
  // Nobody has written it yet.
  expect(await place.read()).toBeUndefined();
  await place.remove();
  chmodSync(pictures, 0o755);
  await (await new PictureDirectory(pictures, gid).place()).remove();
  expect(modeOf(pictures)).toBe('755');
});
