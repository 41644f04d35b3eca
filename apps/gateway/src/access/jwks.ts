import { readFileSync } from 'node:fs';
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { SettingsError } from '../settings/load-settings.js';

/** Keys that were fetched are used this long, and longer while the issuer does not answer with new ones for an unknown key. */
const cacheMs = 10 * 60_000;
/** An unknown key makes us ask again, but no more often than this. */
const cooldownMs = 30_000;
const fetchTimeoutMs = 5_000;

/** A URL, as against the path of a file. */
function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/**
 * The keys of a file; undefined for a URL, which is asked only when there is a token to check.
 * @throws SettingsError when the file can't be read or is no JSON Web Key Set
 */
export function readJwksFile(source: string): JWTVerifyGetKey | undefined {
  if (isUrl(source)) return undefined;
  try {
    return createLocalJWKSet(JSON.parse(readFileSync(source, 'utf8')) as JSONWebKeySet);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code?.startsWith('E') === true && !code.startsWith('ERR_')
        ? `cannot be read (${code})`
        : `is no JSON Web Key Set (${message})`;
    throw new SettingsError([`jwt.jwks: ${source} ${why}`]);
  }
}

/** Finds the key a token was signed with. @throws SettingsError as {@link readJwksFile} */
export function openJwks(source: string): JWTVerifyGetKey {
  const options = { cacheMaxAge: cacheMs, cooldownDuration: cooldownMs, timeoutDuration: fetchTimeoutMs };
  return readJwksFile(source) ?? createRemoteJWKSet(new URL(source), options);
}
