import { readFileSync } from 'node:fs';
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { SettingsError } from '../../settings/load-settings.js';
import { systemFault } from '../../settings/system-fault.js';

/** Fetched keys are used for this long, and longer while the issuer does not answer a request for an unknown key. */
const cacheMs = 10 * 60_000;
/** An unknown key causes another fetch, but no more often than this. */
const cooldownMs = 30_000;
const fetchTimeoutMs = 5_000;

/** Whether it is a URL, as opposed to the path of a file. */
function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/**
 * The keys of a file; undefined for a URL, which is fetched only when there is a token to check.
 * @throws SettingsError if the file cannot be read or is not a JSON Web Key Set
 */
export function readJwksFile(source: string): JWTVerifyGetKey | undefined {
  if (isUrl(source)) return undefined;
  try {
    return createLocalJWKSet(JSON.parse(readFileSync(source, 'utf8')) as JSONWebKeySet);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isUnread = code?.startsWith('E') === true && !code.startsWith('ERR_');
    const why = isUnread
      ? `cannot read ${source}: ${systemFault(error)}`
      : `${source} is not a JSON Web Key Set: ${message}`;
    throw new SettingsError([`jwt.jwks: ${why}`]);
  }
}

/** Finds the key that a token was signed with. @throws SettingsError like {@link readJwksFile} */
export function openJwks(source: string): JWTVerifyGetKey {
  const options = { cacheMaxAge: cacheMs, cooldownDuration: cooldownMs, timeoutDuration: fetchTimeoutMs };
  return readJwksFile(source) ?? createRemoteJWKSet(new URL(source), options);
}
