/** A member of an archive, with its mode (file type bits included, as in `st_mode`). */
export interface CpioMember {
  readonly path: string;
  readonly mode: number;
  readonly data?: Buffer;
  /** Major and minor number of a device node. */
  readonly device?: readonly [number, number];
}

const magic = '070701';

/**
 * An archive in the "newc" form that Linux unpacks as initramfs (kernel documentation,
 * `driver-api/early-userspace/buffer-format`): a head of hexadecimal fields, the name, the data, each padded to 4 bytes.
 */
export function cpioArchive(members: readonly CpioMember[]): Buffer {
  const all = [...members, { path: 'TRAILER!!!', mode: 0 }];
  return Buffer.concat(all.flatMap((member, index) => encode(member, index + 1)));
}

function encode({ path, mode, data = Buffer.alloc(0), device = [0, 0] }: CpioMember, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const [links, owner, group, time, fileMajor, fileMinor, checksum] = [1, 0, 0, 0, 0, 0, 0];
  const fields = [
    ...[inode, mode, links, owner, group, time, data.length, fileMajor, fileMinor],
    ...[...device, name.length, checksum],
  ];
  const head = Buffer.from(magic + fields.map((field) => field.toString(16).padStart(8, '0')).join(''));
  return [padded(Buffer.concat([head, name])), padded(data)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
