import type { DescriptorPassage, Endpoint } from '@qmp-gateway/qmp';
import { DescriptorChannel, missingReason } from '@qmp-gateway/unix-fds';

/** Over the native addon, which is beside a session's socket only while a descriptor is passed. */
const passage: DescriptorPassage = {
  pass(socket, { bytes, descriptors }, done) {
    const channel = DescriptorChannel.beside(socket);
    try {
      const numbered = descriptors.map((number) => ({ number }));
      channel.send(bytes, numbered, (error) => {
        channel.close();
        done(error);
      });
    } catch (error) {
      channel.close();
      throw error;
    }
    return () => channel.close();
  },
};

/** How descriptors get to VMs; undefined where the addon is absent. */
export function descriptorPassage(): DescriptorPassage | undefined {
  return missingReason() === undefined ? passage : undefined;
}

/** Why a VM can't be given descriptors; undefined when it can. */
export function descriptorRefusal({
  monitor,
}: {
  readonly monitor: { readonly endpoint: Endpoint };
}): string | undefined {
  const reason = missingReason();
  if (reason !== undefined) return `The gateway cannot pass file descriptors: ${reason}.`;
  const { kind } = monitor.endpoint;
  if (kind === 'unix' || kind === 'listen-unix') return undefined;
  return 'File descriptors pass over unix sockets only, and the monitor of this VM is none.';
}
