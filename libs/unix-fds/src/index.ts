/**
 * File descriptors over connected unix stream sockets (SCM_RIGHTS), which Node.js itself neither sends nor receives.
 *
 * It takes sockets of `node:net`, and promises: a descriptor goes with the first byte of its message, or not at all; one that
 * is received has an owner who closes it; nothing waits without a bound. It leaves to others: which descriptors may be passed,
 * and what for. The native addon may be absent: `missingReason` says why, and nothing else of this package may be used then.
 */
export { Descriptor } from './descriptor.js';
export { DescriptorChannel, mostDescriptors, type DescriptorReceiver } from './descriptor-channel.js';
export { missingReason } from './native-addon.js';
export { attachTap } from './tap.js';
