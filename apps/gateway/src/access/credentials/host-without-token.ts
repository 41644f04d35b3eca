import type { Settings } from '../../settings/settings.js';

export type CredentialSettings = Pick<Settings, 'auth' | 'allowHost' | 'listen' | 'jwt' | 'clientCertificates'>;

/**
 * Whether the settings let anybody have level `host` without a token of the gateway's own. Which level a JSON Web Token
 * carries is up to its issuer.
 */
export function grantsHostWithoutToken(settings: CredentialSettings): boolean {
  const { auth, allowHost, listen, jwt, clientCertificates } = settings;
  return (
    (auth === 'none' && allowHost) ||
    jwt !== undefined ||
    clientCertificates.some(({ level }) => level === 'host') ||
    listen.some((address) => address.kind === 'unix' && address.level === 'host')
  );
}
