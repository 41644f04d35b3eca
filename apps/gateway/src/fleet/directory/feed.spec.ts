import { expect, it } from 'vitest';
import { vmChangeOf } from './feed.js';

const source = { id: 'a', labels: {}, epoch: null };

it('takes the view of the VM that an event is about, and no other text of another node', () => {
  const event = (data: string, reducedData = data) => vmChangeOf({ source, name: 'vm-changed', data, reducedData });
  const view = '{"id":"a","state":"ready"}';
  expect(event('{"id":"a","state":"ready","inFlight":7}')).toEqual({
    kind: 'changed',
    ...source,
    full: view,
    reduced: view,
  });
  for (const other of ['7', '[]', '{}', '{"id":"b"}', '{"state":"ready"}']) {
    expect(event(other)).toBeUndefined();
    expect(event(view, other)).toBeUndefined();
  }
  expect(vmChangeOf({ source, name: 'vm-removed', data: '{}' })).toEqual({ kind: 'removed', id: 'a' });
});
