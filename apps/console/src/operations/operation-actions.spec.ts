import type { ListedOperation } from '@qmp-gateway/client';
import { describe, expect, it } from 'vitest';
import { operationActions } from './operation-actions.js';

const operation = (part: Partial<ListedOperation>): ListedOperation => ({
  ...{ id: '1', vm: 'a', command: 'blockdev-mirror', state: 'running', started: '', ended: null, epoch: 'e' },
  ...{ error: null, events: [], progress: null },
  ...part,
});
const commands = (part: Partial<ListedOperation>) =>
  operationActions(operation(part)).map(({ command, args }) => `${command} ${JSON.stringify(args)}`);
const migration = (status: string) => ({
  command: 'migrate',
  events: [{ cursor: 'c', event: 'MIGRATION', data: { status }, time: '' }],
});

describe('what an operation can be asked', () => {
  it('is what its job takes, by its id', () => {
    const job = { id: 'mirror-1', type: 'mirror', status: 'ready' };
    expect(commands({ state: 'ready', job })).toEqual([
      ...['job-complete {"id":"mirror-1"}', 'job-pause {"id":"mirror-1"}', 'job-cancel {"id":"mirror-1"}'],
    ]);
  });

  it('is nothing once it has ended, or where QMP has no way', () => {
    expect(commands({ state: 'done', job: { id: 'j', type: 'mirror', status: 'concluded' } })).toEqual([]);
    expect(commands({ command: 'device_del' })).toEqual([]);
  });

  it('of a migration depends on how far it is', () => {
    expect(commands(migration('active'))).toEqual(['migrate_cancel {}']);
    expect(commands({ command: 'migrate' })).toEqual(['migrate_cancel {}']);
    expect(commands(migration('pre-switchover'))).toEqual([
      ...['migrate-continue {"state":"pre-switchover"}', 'migrate_cancel {}'],
    ]);
    expect(commands(migration('postcopy-active'))).toEqual(['migrate-pause {}']);
    expect(commands(migration('postcopy-paused'))).toEqual([]);
  });
});
