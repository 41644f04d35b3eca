import type { CommandClass } from '@qmp-gateway/catalog';
import { group, object } from './object-type.js';
import { Setting } from './setting.js';
import { list, oneOf, string, type SettingType } from './setting-type.js';
import { level, path, text } from './value-types.js';
import { idGlob, labelGlob } from './vm-pattern.js';

/** HTTPS on every tcp listener. Files are PEM, read again on SIGHUP. */
export class TlsSettings {
  @Setting({
    what: 'The certificate, followed by the intermediate ones.',
    is: path(),
    required: true,
    example: '/etc/qmp-gateway/cert.pem',
    flag: { spelling: '--tls-cert <file>', what: 'certificate chain (PEM); TCP listeners then speak HTTPS' },
  })
  readonly cert!: string;

  @Setting({
    what: 'The key of the certificate.',
    is: path(),
    required: true,
    example: '/etc/qmp-gateway/key.pem',
    flag: { spelling: '--tls-key <file>', what: 'key of the certificate (PEM)' },
  })
  readonly key!: string;

  @Setting({
    what: 'Authorities that sign client certificates. With it the gateway asks clients for a certificate, and `clientCertificates` says whom it stands for.',
    is: path(),
    example: '/etc/qmp-gateway/clients.pem',
    flag: {
      spelling: '--tls-client-ca <file>',
      what: 'authorities of client certificates (PEM); see clientCertificates',
    },
  })
  readonly clientCa?: string;
}

export const tlsType = group(TlsSettings);

/** Excludes signatures with a shared secret (HS256 and the like): anyone who can check one can also make one. */
export const jwtAlgorithms = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ...['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
] as const;
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

/** JSON Web Tokens of an issuer, accepted as bearer tokens besides the gateway's own. */
export class JwtSettings {
  @Setting({ what: 'The `iss` of the tokens.', is: text(), required: true, example: 'https://id.example.org' })
  readonly issuer!: string;

  @Setting({ what: 'The `aud` of the tokens.', is: text(), required: true, example: 'qmp-gateway' })
  readonly audience!: string;

  @Setting({
    what: "The issuer's keys: an https URL, or a file that is read again on SIGHUP.",
    is: jwksSource(),
    required: true,
    example: 'https://id.example.org/keys',
  })
  readonly jwks!: string;

  @Setting({
    what: `Signature algorithms that are accepted, some of ${jwtAlgorithms.join(', ')}.`,
    is: list(oneOf(jwtAlgorithms), 'algorithms', 1),
    default: ['ES256', 'EdDSA', 'PS256', 'RS256'],
    example: '[ES256]',
  })
  readonly algorithms!: JwtAlgorithm[];

  @Setting({
    what: 'The claim that holds the level. A dot leads into a claim: `qmp.level` is `level` inside `qmp`.',
    is: text(),
    default: 'level',
    example: 'qmp.level',
  })
  readonly levelClaim!: string;

  @Setting({
    what: 'The claim that holds the VMs: a string or a list of strings, written as in the `vms` of a token. A token without it reaches no VM.',
    is: text(),
    default: 'vms',
    example: 'qmp.vms',
  })
  readonly vmsClaim!: string;
}

export const jwtType = group(JwtSettings);

/** Anyone who could change the keys on their way could sign tokens. */
function jwksSource(): SettingType<string> {
  const must = 'must be an https URL (http only on this machine), or the path of a file';
  return string({
    called: 'URL or path',
    must,
    pattern: /^(?![A-Za-z][A-Za-z0-9+.-]*:\/\/)|^[Hh][Tt][Tt][Pp][Ss]?:\/\//,
    faultsOf(given) {
      if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) return [];
      const { protocol, hostname } = URL.canParse(given) ? new URL(given) : { protocol: '', hostname: '' };
      const isLocal = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
      return protocol === 'https:' || (protocol === 'http:' && isLocal) ? [] : [must];
    },
  });
}

/** Whom a client certificate stands for. */
export class ClientCertificate {
  @Setting({
    what: 'The whole subject of the certificate, e.g. `CN=ops,O=Example`, with its attributes in any order.',
    is: string({
      called: 'string',
      must: 'must be the whole subject of the certificate, such as CN=ops,O=Example',
      pattern: /^\s*[A-Za-z][\w.-]*\s*=\s*[\s\S]/,
      faultsOf: (subject) =>
        subjectAttributes(subject) === undefined
          ? ['must be the whole subject of the certificate, such as CN=ops,O=Example']
          : [],
    }),
    required: true,
  })
  readonly subject!: string;

  @Setting({ what: 'What its holder may do.', is: level(), required: true })
  readonly level!: CommandClass;

  @Setting({ what: 'The VMs it reaches: ids, globs or `label:key=glob`.', is: vmPatterns(), default: ['*'] })
  readonly vms!: readonly string[];
}

export const clientCertificateType = object(ClientCertificate, {
  must: 'must be an object such as {subject: "CN=ops", level: operate}',
});

function vmPatterns(): SettingType<readonly string[]> {
  const pattern = new RegExp(`${idGlob.source}|${labelGlob.source.replace('.{0', '[\\s\\S]{0')}`, 'u');
  const entry = string({ called: 'string', must: 'must be a VM id, a glob or label:key=glob', pattern });
  return list(entry, 'ids, globs or label:key=glob');
}

/**
 * The attributes of a distinguished name, sorted: names are compared as sets, because tools print them in either order.
 * A comma separates attributes where `NAME=` follows it; `\\` escapes one inside a value.
 */
export function subjectAttributes(subject: string): string[] | undefined {
  const parts = subject.split(/(?<!\\),(?=\s*[A-Za-z][\w.-]*\s*=)/).map((part) => part.trim());
  const attributes = parts.map((part) => /^([A-Za-z][\w.-]*)\s*=\s*(.+)$/s.exec(part));
  if (attributes.includes(null)) return undefined;
  return attributes.map((match) => `${match?.[1] ?? ''}=${(match?.[2] ?? '').replaceAll(/\\(.)/gs, '$1')}`).sort();
}
