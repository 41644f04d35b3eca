import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsSettings } from '../settings/access-settings.js';
import { SettingsError } from '../settings/load-settings.js';
import { systemFault } from '../settings/system-fault.js';

/** What a listener needs to speak TLS, as its files were when they were read. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** DNS names in the certificate, lower case; one may begin with `*.`. */
  readonly names: readonly string[];
}

/**
 * Reads and tries certificate, key and authorities.
 * @throws SettingsError naming the file that can't be read, or what does not fit
 */
export function loadTlsMaterial(settings: Readonly<TlsSettings>): TlsMaterial {
  const { clientCa } = settings;
  const cert = readPem('cert', settings.cert);
  const key = readPem('key', settings.key);
  const context: SecureContextOptions = {
    cert,
    key,
    minVersion: 'TLSv1.3',
    ...(clientCa === undefined ? {} : { ca: readPem('clientCa', clientCa) }),
  };
  try {
    createSecureContext(context);
    return { context, names: dnsNames(new X509Certificate(cert)) };
  } catch (error) {
    throw new SettingsError([`tls: ${settings.cert} and ${settings.key}: ${(error as Error).message}`]);
  }
}

function readPem(key: keyof TlsSettings, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SettingsError([`tls.${key}: cannot read ${path}: ${systemFault(error)}`], true);
  }
}

/** Names with anything odd in them are quoted in this list, and match no Host header. */
function dnsNames({ subjectAltName = '' }: X509Certificate): string[] {
  return subjectAltName.split(', ').flatMap((name) => {
    const match = /^DNS:((?:\*\.)?[A-Za-z0-9.-]+)$/.exec(name);
    return match?.[1] === undefined ? [] : [match[1].toLowerCase()];
  });
}
