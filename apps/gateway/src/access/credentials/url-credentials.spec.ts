import { expect, it } from 'vitest';
import { urlCredentials } from './url-credentials.js';

it.each([
  ...[
    'token=x',
    'access_token=x',
    'a=b&TOKEN=',
    '%74oken=x',
    'bearer=x',
    'Authorization=Bearer+x',
    'api_key=1',
    'jwt=x',
  ],
  ...['qmpgw_session=x', 'q=qmpgw_abc_defghi', 'qmpgw_abc_defghi', 'x=%71mpgw_abc_d', 'x=eyJhbGciOiJI.eyJzdWIi.c2ln'],
])('%s is credentials in an address, and is not repeated', (query) => {
  const problem = urlCredentials(query);
  expect(problem).toMatchObject({ code: 'invalid-request', status: 400 });
  expect(problem?.detail).not.toContain('abc');
});

it.each([
  '',
  'vm=web-1',
  'option=smp',
  'timeout=5s&int64=string',
  'vm=authors',
  'label=token-kind=a',
  'name=50%25',
  'device=secret0',
])('%j is none', (query) => expect(urlCredentials(query)).toBeUndefined());
