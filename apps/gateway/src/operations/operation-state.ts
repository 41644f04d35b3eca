/**
 * Where an operation is. `accepted`: its command passed all checks; `queued`: it waits for its turn at the VM; `sent`: it
 * was written; `replied`: the VM answered; `working`: what the command began goes on after the reply. The others are
 * ends; `dropped` is that of a command whose answer told everything, so that nothing is kept of it.
 */
export type OperationState =
  'accepted' | 'queued' | 'sent' | 'replied' | 'working' | 'done' | 'failed' | 'cancelled' | 'lost' | 'dropped';

/** The ends that clients see. */
export type OperationEnd = 'done' | 'failed' | 'cancelled' | 'lost';

/** What clients see of the state. `ready`: a job that waits to be told to finish. All but `running` and `ready` are final. */
export const shownStates = ['running', 'ready', 'done', 'failed', 'cancelled', 'lost'] as const;
export type ShownState = (typeof shownStates)[number];

/** Every allowed transition with its cause. */
export const operationTransitions: {
  readonly [From in OperationState]: Readonly<Partial<Record<OperationState, string>>>;
} = {
  accepted: {
    queued: 'no place is free',
    sent: 'about to be written',
    failed: 'refused before it was sent',
    lost: 'too many others were begun after it',
    dropped: 'refused before it was sent, as a part of a larger request',
  },
  queued: {
    sent: 'its turn came',
    failed: 'deadline, full queue, another session, or the VM went away',
    lost: 'too many others were begun after it',
    dropped: 'not sent, as a part of a larger request',
  },
  sent: {
    replied: 'the VM returned a value',
    working: 'the session ended before the reply, and the next one tells what became of the work',
    done: 'the VM ended, which was the purpose',
    failed:
      'the VM refused it, its caller may not see the answer, or the VM had announced a failure when its session ended',
    cancelled: 'the VM had announced a cancellation when its session ended',
    lost: 'the session ended before the reply',
    dropped: 'answered, as a part of a larger request',
  },
  replied: {
    working: 'the command began work',
    done: 'the command is done with its reply',
  },
  working: {
    done: 'an event or an answer says so',
    failed: 'an event or an answer says so, or its deadline passed',
    cancelled: 'an event or an answer says so',
    lost: 'nothing tells any more what became of it',
  },
  done: {},
  failed: {},
  cancelled: {},
  lost: {},
  dropped: {},
};

/** Thrown by a transition the table does not allow: a fault of the gateway, never of the VM or its caller. */
export class IllegalOperationTransitionError extends Error {
  constructor(
    readonly from: OperationState,
    readonly to: OperationState,
  ) {
    super(`illegal operation transition from ${from} to ${to}`);
    this.name = 'IllegalOperationTransitionError';
  }
}
