import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A channel as the addon knows it. */
export type NativeChannel = object & { readonly __channel: never };

/** What `native/unix_fds.c` exports. Descriptors are numbers; errors are thrown with the system's code. */
export interface NativeAddon {
  /** @param received `bytes` null: the end, with the name of the error, or without one by the peer */
  adopt(
    descriptor: number,
    received: (bytes: Buffer | null, descriptors: readonly number[], error: string | null) => void,
  ): NativeChannel;
  read(channel: NativeChannel, on: boolean): void;
  send(
    channel: NativeChannel,
    bytes: Buffer,
    descriptors: readonly number[],
    done: (error: string | null) => void,
  ): void;
  close(channel: NativeChannel): void;
  setBlocking(descriptor: number): void;
  attachTap(descriptor: number, name: string, multiQueue: boolean): void;
}

const prebuilds = fileURLToPath(new URL('../prebuilds', import.meta.url));

let loaded: { readonly addon: NativeAddon } | { readonly reason: string } | undefined;

/** The binaries for this platform, one for each C library; the wrong one does not load. */
function binaries(): string[] {
  const platform = `${process.platform}-${process.arch}-`;
  try {
    const folders = readdirSync(prebuilds).filter((name) => name.startsWith(platform));
    return folders.sort().map((name) => `${prebuilds}/${name}/unix_fds.node`);
  } catch {
    return [];
  }
}

function load(): { readonly addon: NativeAddon } | { readonly reason: string } {
  let reason = `no native addon for ${process.platform}-${process.arch} is installed`;
  const require = createRequire(import.meta.url);
  for (const file of binaries()) {
    try {
      return { addon: require(file) as NativeAddon };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      reason = code === 'ERR_DLOPEN_DISABLED' ? 'Node.js was started without native addons' : shortened(message);
    }
  }
  return { reason };
}

/** The loader names paths of this host, which are nobody's business. */
function shortened(message: string): string {
  return `the native addon does not load: ${message.split('\n')[0]?.replaceAll(prebuilds, '') ?? ''}`;
}

/** Why the addon cannot be used; undefined when it can. Looked for once. */
export function missingReason(): string | undefined {
  loaded ??= load();
  return 'reason' in loaded ? loaded.reason : undefined;
}

/** @throws Error while {@link missingReason} has one */
export function nativeAddon(): NativeAddon {
  loaded ??= load();
  if ('reason' in loaded) throw new Error(loaded.reason);
  return loaded.addon;
}
