import type { ListedOperation } from '@qmp-gateway/client';

/** Something that a button asks of an operation. */
export interface OperationAction {
  readonly command: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly label: string;
  readonly says: string;
}

const cancel: OperationAction = {
  ...{ command: 'migrate_cancel', args: {}, label: 'Cancel' },
  says: 'Cancels the migration. The VM goes on here.',
};

/** What can be asked of a migration in the status that its newest event says. */
export function migrationActions({ events }: Pick<ListedOperation, 'events'>): readonly OperationAction[] {
  const status = events.findLast(({ event }) => event === 'MIGRATION')?.data['status'];
  if (status === 'pre-switchover')
    return [
      {
        ...{ command: 'migrate-continue', args: { state: 'pre-switchover' }, label: 'Continue' },
        says: 'Lets the migration go on to the switchover.',
      },
      cancel,
    ];
  if (status === 'postcopy-active')
    return [
      {
        ...{ command: 'migrate-pause', args: {}, label: 'Pause' },
        says: 'Pauses the migration, so that it can go on over another connection. The guest waits.',
      },
    ];
  // In postcopy the state of the guest is in both places: a cancel would lose it.
  return typeof status === 'string' && status.startsWith('postcopy') ? [] : [cancel];
}
