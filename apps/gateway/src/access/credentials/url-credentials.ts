import { Problem } from '../../problems/problem.js';

const suspicious = /token|bearer|auth|jwt|api_?key|password|secret|qmpgw|eyJ|%/i;
const credentialName =
  /^(?:(?:access|auth|id|bearer)?_?token|bearer|authorization|auth|jwt|api_?key|password|secret|qmpgw_session)$/i;
const credentialValue = /qmpgw_[a-z0-9]+_|^eyJ[\w-]+\.[\w-]+\./;

/**
 * Credentials in an address end up in histories, logs of proxies and Referer headers, so they are refused there, valid
 * or not, to discourage the habit. The problem does not repeat them.
 */
export function urlCredentials(query: string): Problem | undefined {
  if (query === '' || !suspicious.test(query)) return undefined;
  for (const [name, value] of new URLSearchParams(query))
    if (credentialName.test(name) || credentialValue.test(value) || credentialValue.test(name))
      return new Problem(
        'invalid-request',
        'Credentials are not taken from an address: send Authorization: Bearer, or POST /v1/session for EventSource. Revoke these if they are real.',
      );
  return undefined;
}
