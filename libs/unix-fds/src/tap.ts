import type { Descriptor } from './descriptor.js';
import { nativeAddon } from './native-addon.js';

/**
 * Makes an open `/dev/net/tun` a queue of a tap interface: without packet information, with virtio-net headers, as QEMU
 * opens its own.
 * @param tun just opened for reading and writing
 * @param name of an interface, at most 15 bytes
 * @param multiQueue whether the interface was made with several queues
 * @throws Error with the code of the system: `EPERM` when it is another user's, `EBUSY` when it has an owner, `EINVAL` when
 *   it is no tap or the queues do not fit
 */
export function attachTap(tun: Descriptor, name: string, multiQueue: boolean): void {
  nativeAddon().attachTap(tun.number, name, multiQueue);
}
