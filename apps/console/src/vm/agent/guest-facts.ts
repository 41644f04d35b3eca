import { bytesText } from '../../units/quantities.js';

/** A name and what is to be said of it. */
export type Fact = readonly [term: string, text: string];

type Members = Readonly<Record<string, unknown>>;

function members(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function rows(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.map(members) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What `guest-get-osinfo` says. */
export function osFacts(value: unknown): readonly Fact[] {
  const os = members(value);
  const all: readonly (readonly [string, string | undefined])[] = [
    ['System', text(os['pretty-name']) ?? text(os['name'])],
    ['Version', text(os['version'])],
    ['Kernel', [text(os['kernel-release']), text(os['kernel-version'])].filter(Boolean).join(' · ')],
    ['Machine', text(os['machine'])],
    ['Variant', text(os['variant'])],
  ];
  return all.filter((fact): fact is Fact => fact[1] !== undefined && fact[1] !== '');
}

/** A file system as `guest-get-fsinfo` lists it. */
export interface GuestFileSystem {
  readonly mountpoint: string;
  readonly type: string;
  readonly device: string;
  /** 0 to 100; undefined where the agent does not say. */
  readonly usedPercent: number | undefined;
  readonly size: string;
}

/** What `guest-get-fsinfo` says, by mount point. */
export function fileSystems(value: unknown): readonly GuestFileSystem[] {
  return rows(value)
    .map((row) => {
      const used = numeric(row['used-bytes']);
      const total = numeric(row['total-bytes']);
      return {
        mountpoint: text(row['mountpoint']) ?? '–',
        type: text(row['type']) ?? '–',
        device: text(row['name']) ?? '–',
        usedPercent: used === undefined || total === undefined || total === 0 ? undefined : (used / total) * 100,
        size: used === undefined || total === undefined ? '–' : `${bytesText(used)} of ${bytesText(total)}`,
      };
    })
    .sort((one, other) => (one.mountpoint < other.mountpoint ? -1 : 1));
}

/** An interface as `guest-network-get-interfaces` lists it. */
export interface GuestInterfaceFacts {
  readonly name: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly received: string;
  readonly sent: string;
}

/** What `guest-network-get-interfaces` says. */
export function interfaces(value: unknown): readonly GuestInterfaceFacts[] {
  return rows(value).map((row) => {
    const statistics = members(row['statistics']);
    return {
      name: text(row['name']) ?? '–',
      mac: text(row['hardware-address']) ?? '–',
      addresses: rows(row['ip-addresses']).map(
        (address) => `${text(address['ip-address']) ?? '?'}/${numeric(address['prefix']) ?? '?'}`,
      ),
      received: bytesText(numeric(statistics['rx-bytes'])),
      sent: bytesText(numeric(statistics['tx-bytes'])),
    };
  });
}

/** Users as `guest-get-users` lists them: who, and since when in seconds since 1970. */
export function users(value: unknown): readonly { readonly user: string; readonly sinceMs: number | undefined }[] {
  return rows(value).map((row) => {
    const domain = text(row['domain']);
    const user = text(row['user']) ?? '?';
    const since = numeric(row['login-time']);
    return {
      user: domain === undefined ? user : `${domain}\\${user}`,
      sinceMs: since === undefined ? undefined : since * 1000,
    };
  });
}

/** What `guest-get-timezone` says. */
export function timeZone(value: unknown): string {
  const { zone, offset } = members(value);
  const seconds = numeric(offset);
  const hours = seconds === undefined ? '' : `UTC${seconds < 0 ? '-' : '+'}${Math.abs(seconds) / 3600}`;
  return [text(zone), hours].filter((part) => part !== undefined && part !== '').join(', ') || '–';
}

/** What `guest-get-host-name` says. */
export function hostName(value: unknown): string {
  return text(members(value)['host-name']) ?? '–';
}

function numeric(value: unknown): number | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}
