import 'reflect-metadata';
import { ArrayNotEmpty, IsArray, IsIn, IsNotEmpty, IsOptional, IsString } from 'class-validator';
import { isVmPattern } from '../access/grant.js';
import { levels, type Level } from '../access/principal.js';
import { Setting } from './setting.js';
import { certificateMembers } from './setting-members.js';
import { isRecord, IsJwksSource, prefixed, rule, unknownKey, type Reading } from './settings-rules.js';

/** HTTPS on every tcp listener. Files are PEM, read again on SIGHUP. */
export class TlsSettings {
  @Setting({
    what: 'The certificate, followed by the intermediate ones.',
    type: 'path',
    default: 'needed',
    example: '/etc/qmp-gateway/cert.pem',
    flag: { spelling: '--tls-cert <file>', what: 'certificate chain, PEM: tcp listeners speak HTTPS' },
  })
  @IsString()
  @IsNotEmpty()
  cert = '';

  @Setting({
    what: 'Its key.',
    type: 'path',
    default: 'needed',
    example: '/etc/qmp-gateway/key.pem',
    flag: { spelling: '--tls-key <file>', what: 'its key, PEM' },
  })
  @IsString()
  @IsNotEmpty()
  key = '';

  @Setting({
    what: 'Authorities of client certificates, which are asked for then, and what `clientCertificates` says of them counts.',
    type: 'path',
    example: '/etc/qmp-gateway/clients.pem',
    flag: { spelling: '--tls-client-ca <file>', what: 'authorities of client certificates, PEM (clientCertificates)' },
  })
  @IsString()
  @IsNotEmpty()
  @IsOptional()
  clientCa: string | undefined = undefined;
}

/** Signatures made with a secret that both sides know are not among them: whoever checks one could make one. */
export const jwtAlgorithms = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ...['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
] as const;
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

/** JSON Web Tokens of an issuer, taken as bearer tokens besides the gateway's own. */
export class JwtSettings {
  @Setting({ what: 'The `iss` of the tokens.', type: 'text', default: 'needed', example: 'https://id.example.org' })
  @IsString()
  @IsNotEmpty()
  issuer = '';

  @Setting({ what: 'The `aud` of the tokens.', type: 'text', default: 'needed', example: 'qmp-gateway' })
  @IsString()
  @IsNotEmpty()
  audience = '';

  @Setting({
    what: "The issuer's keys: an https URL, or a file that is read again on SIGHUP.",
    type: 'URL or path',
    default: 'needed',
    example: 'https://id.example.org/keys',
  })
  @IsJwksSource()
  jwks = '';

  @Setting({
    what: `How tokens may be signed, some of ${jwtAlgorithms.join(', ')}.`,
    type: 'list of texts',
    example: '[ES256]',
  })
  @IsArray()
  @ArrayNotEmpty()
  @IsIn(jwtAlgorithms, { each: true })
  @IsOptional()
  algorithms: JwtAlgorithm[] = ['ES256', 'EdDSA', 'PS256', 'RS256'];

  @Setting({
    what: 'Claim that holds the level; one inside another with a dot between.',
    type: 'text',
    example: 'qmp.level',
  })
  @IsString()
  @IsNotEmpty()
  @IsOptional()
  levelClaim = 'level';

  @Setting({
    what: 'Claim that holds the VMs, a text or a list of texts such as the `vms` of a token; without it none are seen.',
    type: 'text',
    example: 'qmp.vms',
  })
  @IsString()
  @IsNotEmpty()
  @IsOptional()
  vmsClaim = 'vms';
}

/** Whom a client certificate stands for. */
export interface ClientCertificate {
  /** The whole subject, e.g. `CN=ops,O=Example`; the order is of no matter. */
  readonly subject: string;
  readonly level: Level;
  readonly vms: readonly string[];
}

const certificateKeys = Object.keys(certificateMembers);

/** Reads one entry of `clientCertificates`. */
export function readClientCertificate(value: unknown): Reading<ClientCertificate> {
  if (!isRecord(value)) return { faults: ['must be an object such as {subject: "CN=ops", level: operate}'] };
  const { subject, level, vms = ['*'] } = value;
  const faults = Object.keys(value)
    .filter((key) => !certificateKeys.includes(key))
    .map((key) => unknownKey(key, certificateKeys));
  if (typeof subject !== 'string' || subjectAttributes(subject) === undefined)
    faults.push('subject: must be the whole subject of the certificate, such as CN=ops,O=Example');
  if (!levels.includes(level as Level)) faults.push(`level: must be one of ${levels.join(', ')}`);
  if (!Array.isArray(vms) || !vms.every((entry) => typeof entry === 'string' && isVmPattern(entry)))
    faults.push('vms: must be a list of VM ids, globs or label:key=glob');
  if (faults.length > 0) return { faults };
  return { value: { subject: subject as string, level: level as Level, vms: vms as string[] }, faults };
}

export const IsClientCertificateList = rule('clientCertificateList', (value) =>
  Array.isArray(value) ? value.flatMap((entry, at) => prefixed(String(at), readClientCertificate(entry).faults)) : [],
);

/**
 * The attributes of a distinguished name, sorted: names are compared as sets, because tools print them in either order.
 * A comma inside a value is told by what follows it, or escaped with `\\`.
 */
export function subjectAttributes(subject: string): string[] | undefined {
  const parts = subject.split(/(?<!\\),(?=\s*[A-Za-z][\w.-]*\s*=)/).map((part) => part.trim());
  const attributes = parts.map((part) => /^([A-Za-z][\w.-]*)\s*=\s*(.+)$/s.exec(part));
  if (attributes.includes(null)) return undefined;
  return attributes.map((match) => `${match?.[1] ?? ''}=${(match?.[2] ?? '').replaceAll(/\\(.)/gs, '$1')}`).sort();
}
