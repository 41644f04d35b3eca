import type { Clock, Settlement } from '@qmp-gateway/qmp';
import { serverBounds } from '@qmp-gateway/qmp';
import { queryThroughQueue } from '../vms/query-through-queue.js';
import type { Vm } from '../vms/vm.js';
import type { Occasion, Question } from './completion-rule.js';
import { completionRules } from './completion-rules.js';
import type { WorkingOperation } from './operation.js';

/** A question that found no place in the queue is asked again after so many milliseconds. */
const retryMs = 1000;

/** Who reads the answers. */
export interface WorkAnswers {
  answered(operation: WorkingOperation, settlement: Settlement, occasion: Occasion): void;
}

/** Asks one VM how its work is, in turn with the VM's other commands. */
export class WorkQuestions {
  /** As far as it is known. */
  vm: Vm | undefined;
  /** Questions of a look that have no answer yet. */
  readonly #asked = new Set<string>();

  constructor(
    private readonly answers: WorkAnswers,
    private readonly clock: Clock,
  ) {}

  /** A new session: what was asked in the one before has no answer any more. */
  forgetAsked(): void {
    this.#asked.clear();
  }

  /** Asks once for all operations with the same question. */
  ask(operations: readonly WorkingOperation[], occasion: Occasion): void {
    const questions = new Map<string, { question: Question; operations: WorkingOperation[] }>();
    for (const operation of operations) {
      const { over, work } = operation;
      const question = over ? undefined : completionRules[work.completion].question?.(work);
      if (question === undefined) continue;
      const key = `${question.command} ${question.args ?? ''}`;
      if (occasion === 'look' && this.#asked.has(key)) continue;
      const group = questions.get(key);
      if (group === undefined) questions.set(key, { question, operations: [operation] });
      else group.operations.push(operation);
    }
    for (const [key, { question, operations: group }] of questions) {
      if (occasion === 'look') this.#asked.add(key);
      this.send(question, (settlement) => {
        if (occasion === 'look') this.#asked.delete(key);
        for (const operation of group) this.answers.answered(operation, settlement, occasion);
      });
    }
  }

  /** @param settle gets what the VM answers, at its place among the events */
  send({ command, args }: Question, settle: (settlement: Settlement) => void): void {
    const { vm } = this;
    const none: Settlement = { kind: 'error', class: 'CommandNotFound', desc: '' };
    if (vm?.schema?.commands.has(command) !== true) {
      settle(none);
      return;
    }
    const { queue, monitor } = vm;
    const away = () => settle({ kind: 'not-sent', cause: 'the VM is away' });
    const later = () => {
      if (vm.ready)
        this.clock.schedule(retryMs, () => this.send({ command, ...(args === undefined ? {} : { args }) }, settle));
      else away();
    };
    // Without a deadline: whenever the answer comes, it says how the work is. Who can't wait for it has a timer.
    const answerBytes = serverBounds.ownAnswer.most;
    const send = () =>
      monitor.execute({ command, answerBytes, ...(args === undefined ? {} : { argumentsJson: args }), settle });
    queryThroughQueue(queue, monitor, { send, refuse: away, giveWay: later });
  }
}
