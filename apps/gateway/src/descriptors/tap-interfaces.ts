import { attachTap } from '@qmp-gateway/unix-fds';
import { readFileSync } from 'node:fs';
import { systemFault } from '../settings/system-fault.js';
import { unusable, type HostFiles, type OpenHostFile } from './host-files.js';

/** The device by which programs attach to tap interfaces. */
export const tunDevice = '/dev/net/tun';

/** Of `tun_flags`, as Linux has them in if_tun.h. */
const isTapFlag = 0x0002;
const multiQueueFlag = 0x0100;

/**
 * Opens queues of a tap interface that is there: none is made, because that would be a change of the host's network.
 * @returns the descriptor of each queue
 * @throws Problem `forbidden` when the list does not allow {@link tunDevice}; `host-path-unusable`
 */
export async function openTap(files: HostFiles, name: string, queues: number): Promise<OpenHostFile[]> {
  const opened: OpenHostFile[] = [];
  try {
    for (let queue = 0; queue < queues; queue++) {
      const file = await files.open(tunDevice, ['read', 'write']);
      opened.push(file);
      attach(file, name, queues);
    }
    return opened;
  } catch (error) {
    for (const { descriptor } of opened) descriptor.close();
    throw error;
  }
}

function attach({ descriptor }: OpenHostFile, name: string, queues: number): void {
  const flags = flagsOf(name);
  const isMultiQueue = (flags & multiQueueFlag) !== 0;
  if ((flags & isTapFlag) === 0) throw unusable(name, 'it is no tap interface');
  if (queues > 1 && !isMultiQueue)
    throw unusable(name, `it has one queue; it must be made with several (ip tuntap add ${name} mode tap multi_queue)`);
  try {
    attachTap(descriptor, name, isMultiQueue);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw unusable(name, code === 'EBUSY' ? 'it is in use' : systemFault(error));
  }
}

function flagsOf(name: string): number {
  try {
    return Number(readFileSync(`/sys/class/net/${name}/tun_flags`, 'latin1'));
  } catch {
    throw unusable(name, 'there is no tap interface of this name');
  }
}
