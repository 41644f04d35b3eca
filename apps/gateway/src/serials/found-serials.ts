import type { QapiModel } from '@qmp-gateway/qapi';
import { asObjects, asText, parsedJson, serverBounds } from '@qmp-gateway/qmp';
import type { Ask } from '../access/policy/own-monitor.js';
import { readBackEnd, type SerialBackEnd } from './serial-back-end.js';
import { findSerialDevices, type SerialDevice } from './serial-devices.js';

/** A character device that a serial device of the VM is on. */
export interface FoundSerial {
  /** The label of the character device. */
  readonly id: string;
  readonly backEnd: Exclude<SerialBackEnd, { kind: 'none' }>;
  readonly device: SerialDevice;
}

export interface SerialFindings {
  readonly serials: readonly FoundSerial[];
  /** Why there is none. */
  readonly reason: string | null;
}

/** An id is part of a path. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** What a VM answered about its serial devices, while its character devices are the same. */
export interface KnownDevices {
  readonly labels: string;
  readonly devices: readonly SerialDevice[];
}

/** Looks for the serial lines of a VM. */
export class SerialSearch {
  #known: KnownDevices | undefined;

  /** Devices may have come or gone. */
  forget(): void {
    this.#known = undefined;
  }

  /**
   * @param ask undefined where the VM answers with an error
   * @param own character devices of the gateway's own monitor
   * @returns undefined where it does not answer
   */
  async run(
    ask: Ask,
    { commands }: Pick<QapiModel, 'commands'>,
    own: readonly string[],
  ): Promise<SerialFindings | undefined> {
    if (!['query-chardev', 'qom-list', 'qom-get'].every((command) => commands.has(command)))
      return none('The server of this VM does not tell which serial lines it has.');
    const answer = await ask('query-chardev');
    if (answer === undefined) return undefined;
    const backEnds = new Map<string, SerialBackEnd>();
    for (const { label, filename } of asObjects(parsedJson(answer)) ?? []) {
      const [id, name] = [asText(label) ?? '', asText(filename)];
      if (name !== undefined && idPattern.test(id) && !own.includes(id)) backEnds.set(id, readBackEnd(name));
    }
    if (![...backEnds.values()].some(({ kind }) => kind !== 'none'))
      return none('The VM has no character device that the gateway could attach to.');
    return findings(backEnds, await this.#devices(ask, backEnds));
  }

  async #devices(ask: Ask, backEnds: ReadonlyMap<string, unknown>): Promise<readonly SerialDevice[]> {
    const labels = JSON.stringify([...backEnds.keys()]);
    if (this.#known?.labels !== labels) this.#known = { labels, devices: await findSerialDevices(ask) };
    return this.#known.devices;
  }
}

function findings(backEnds: ReadonlyMap<string, SerialBackEnd>, devices: readonly SerialDevice[]): SerialFindings {
  const serials = new Map<string, FoundSerial>();
  const others: string[] = [];
  for (const device of devices) {
    const id = device.chardev;
    const backEnd = backEnds.get(id);
    if (backEnd === undefined || serials.size >= serverBounds.serials.most) continue;
    if (backEnd.kind === 'none') others.push(`${id}: ${backEnd.called}`);
    else serials.set(id, { id, backEnd, device });
  }
  if (serials.size > 0) return { serials: [...serials.values()], reason: null };
  return none(
    others.length === 0
      ? 'The VM has no serial device on a socket, a pty or a ring buffer.'
      : `Its serial devices are on nothing the gateway can attach to (${others.slice(0, 8).join(', ')}).`,
  );
}

function none(reason: string): SerialFindings {
  return { serials: [], reason };
}
