import type { Settlement } from '@qmp-gateway/qmp';
import { expect, it } from 'vitest';
import { valueOf } from './own-queries.js';

it.each<[Settlement, string]>([
  [{ kind: 'error', class: 'GenericError', desc: 'not now' }, 'query-name: not now'],
  [{ kind: 'error', class: '', desc: '' }, 'query-name: an error without a description'],
  [{ kind: 'not-sent', cause: 'the session ended' }, 'query-name: the session ended'],
  [{ kind: 'too-large', limit: 10 }, 'query-name: the message is over 10 bytes'],
  [{ kind: 'unreadable' }, 'query-name: the server cannot read the message'],
  [{ kind: 'unknown', cause: 'the reply is not JSON' }, 'query-name: the reply is not JSON'],
])('%j is told with its reason', (settlement, message) => {
  expect(() => valueOf('query-name', settlement)).toThrow(message);
});

it('an answer is its value', () => {
  const value = Buffer.from('{}');
  expect(valueOf('query-name', { kind: 'return', value })).toBe(value);
});
