import { converted, string, type SettingType } from './setting-type.js';

/** Where clients reach the gateway, through whatever stands in front of it. */
export interface PublicUrl {
  /** E.g. `https://gw.example.org`. */
  readonly origin: string;
  /** Name without port. */
  readonly host: string;
  /** What stands before the gateway's own paths, e.g. `/qemu`; empty when nothing does. */
  readonly base: string;
}

/** First segments of the gateway's own paths: with such a base it could not be told from them. */
export const ownSegments: readonly string[] = [
  ...['v1', 'docs', 'console', 'problems', 'openapi.json', 'asyncapi.json'],
  ...['metrics', 'livez', 'readyz'],
];

const must =
  'must be an http or https URL such as https://gw.example.org/qemu (lower case, no query, a path of letters, digits and . _ ~ -)';
const ownPath = `must not have a path that begins with one of the gateway's own: ${ownSegments.join(', ')}`;

export function publicUrlType(): SettingType<PublicUrl> {
  const text = string({
    called: 'URL',
    must,
    pattern: /^https?:\/\/[^/?#*@\s\\]+(?:\/[A-Za-z0-9._~-]+)*\/?$/,
    faultsOf(given) {
      if (!/^https?:\/\//.test(given)) return [];
      const { origin, pathname } = URL.canParse(given) ? new URL(given) : { origin: '', pathname: '' };
      // The path too: it has no segments `.` and `..`, which would be gone.
      if (given !== origin && given !== origin + pathname) return [must];
      return ownSegments.includes(pathname.split('/')[1] ?? '') ? [ownPath] : [];
    },
  });
  return converted(text, (given) => {
    const { origin, hostname, pathname } = new URL(given);
    return { origin, host: hostname.replaceAll(/[[\]]/g, ''), base: pathname.replace(/\/$/, '') };
  });
}

/** The URL of a request as the gateway's own resources have it: a proxy may have left the base before it. */
export function withoutBase(url: string, base: string): string {
  if (!url.startsWith(base)) return url;
  const rest = url.slice(base.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
}
