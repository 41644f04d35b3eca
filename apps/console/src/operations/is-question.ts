import type { ListedOperation } from '@qmp-gateway/client';

/** Commands that only ask, by their names: QEMU's, and those of the guest agent. */
const questions = /^(query-|qom-(get|list)|guest-(get|info|ping|network-get|fsfreeze-status))/;

/** Whether an operation only asked something and was answered: pages ask many times a minute. */
export function isAnsweredQuestion({ command, state }: Pick<ListedOperation, 'command' | 'state'>): boolean {
  return state === 'done' && command !== null && questions.test(command);
}
