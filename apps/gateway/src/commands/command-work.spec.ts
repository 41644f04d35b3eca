import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { CommandScene } from './command.scene.js';

const scene = new Scene();
afterEach(() => scene.end());

describe('a command whose work is followed', () => {
  it('leaves its work and no operation that says done: once the work is forgotten, there is none', () => {
    const stage = new CommandScene(scene);
    stage.execute('stop');
    const { operations } = stage;
    stage.vm.reply();
    const [operation, ...others] = operations.of('web-1');
    expect([operation?.id, operation?.shownState, others]).toEqual([stage.answers[0]?.trace.operation, 'running', []]);
    for (const working of operations.withWork()) operations.forgetWork(working);
    expect(operations.of('web-1')).toEqual([]);
  });

  it('leaves its operation when it was refused, and no work', () => {
    const { operations, vm, ...stage } = staged();
    vm.sent[0]?.settle({ kind: 'error', class: 'GenericError', desc: 'no' });
    expect(operations.of('web-1')).toMatchObject([{ id: stage.id(), state: 'failed', work: null }]);
    expect([...operations.withWork()]).toEqual([]);
  });
});

/** A `stop` that was written. */
function staged() {
  const stage = new CommandScene(scene);
  stage.execute('stop');
  const { operations, vm, answers } = stage;
  return { operations, vm, id: () => answers[0]?.trace.operation };
}
