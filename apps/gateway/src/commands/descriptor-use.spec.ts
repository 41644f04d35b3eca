import { readJson } from '@qmp-gateway/qapi';
import { describe, expect, it } from 'vitest';
import type { CommandTarget } from './command-target.js';
import { FakeVm } from './command.scene.js';
import { descriptorUse, withQuestion } from './descriptor-use.js';

/** A command of a VM that was given a name and a set in session `e.1`. */
function using(json: string, { epoch = 'e.1', commands = ['query-fdsets'] } = {}) {
  const vm = new FakeVm();
  vm.epoch = epoch;
  vm.passed.done('getfd', '{"fdname":"a"}', '{}', 'e.1');
  vm.passed.done('add-fd', '{}', '{"fdset-id":3,"fd":10}', 'e.1');
  const schema = { commands: new Map(commands.map((name) => [name, {}])) };
  const found = { vm, server: vm, schema, command: { name: 'x' } } as unknown as CommandTarget;
  return { vm, use: descriptorUse({ found, document: readJson(Buffer.from(json)) }) };
}

const name = '{"fd":"a"}';
const set = '{"filename":"/dev/fdset/3"}';

describe('a command that uses descriptors', () => {
  it('is sent in the session that they were passed in', () => {
    expect(using('{"fd":"b"}').use).toBeUndefined();
    for (const json of [name, set]) {
      const { use } = using(json);
      expect([use?.use.refusal('e.1'), use?.question]).toEqual([undefined, undefined]);
      // Lost while the command waited for its turn.
      expect(use?.use.refusal('e.2')).toMatchObject({ code: 'descriptor-lost' });
    }
  });

  it('is refused for a name of another session, which is no longer known once it is used', () => {
    const { vm, use } = using(name, { epoch: 'e.2' });
    expect(use?.use.refusal('e.2')).toMatchObject({ code: 'descriptor-lost', outcome: 'not-sent' });
    vm.passed.used(use?.use.names ?? []);
    expect(use?.use.refusal('e.2')).toBeUndefined();
  });

  it('asks for a set of another session', () => {
    const { vm, use } = using(set, { epoch: 'e.2' });
    expect(use?.use.refusal('e.2')).toBeUndefined();
    expect(use?.question).toMatchObject({ command: 'query-fdsets', argumentsJson: '{}' });
    expect(use?.question?.refusal(Buffer.from('[{"fdset-id":3,"fds":[]}]'))).toBeUndefined();
    expect(use?.question?.refusal(Buffer.from('[{"fdset-id":4,"fds":[]}]'))).toMatchObject({ code: 'descriptor-lost' });
    // The next command is refused too.
    expect([...vm.passed.sets.keys()]).toEqual([3]);
  });

  it('is refused for such a set where it cannot be asked for', () => {
    const { use } = using(set, { epoch: 'e.2', commands: [] });
    expect([use?.question, use?.use.refusal('e.2')]).toEqual([
      undefined,
      expect.objectContaining({ code: 'descriptor-lost' }),
    ]);
  });

  it('asks nothing where policy asks already', () => {
    const { use } = using(set, { epoch: 'e.2' });
    const own = { question: { command: 'qom-get', argumentsJson: '{}', refusal: () => undefined } };
    expect(withQuestion(own, use?.question)).toBe(own);
    expect(withQuestion(undefined, use?.question)).toEqual({ question: use?.question });
    expect(withQuestion(undefined, undefined)).toBeUndefined();
  });
});
