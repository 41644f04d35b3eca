import { expect, it } from 'vitest';
import { FakeVm } from '../commands/command.scene.js';
import { OperationStore } from '../operations/operation-store.js';
import type { Vm } from '../vms/vm.js';
import { DescriptorWatch } from './descriptor-watch.js';

/** A VM that was given a name and a set, each by an operation of its own, beside one that passed nothing. */
function stage() {
  const fake = new FakeVm();
  const vm = Object.assign(fake, { state: 'ready' }) as unknown as Vm;
  const operations = new OperationStore('r');
  const pass = (command: string, args: string, answer: string) => {
    const operation = operations.begin(vm.id, command, 'p');
    const given = fake.passed.done(command, args, answer, fake.epoch);
    operation.descriptors = given === undefined ? null : [given];
    return operation;
  };
  const told: string[] = [];
  const watch = new DescriptorWatch(operations, {
    changed: ({ command, descriptors }) => told.push(`${command ?? ''} ${descriptors?.[0]?.state ?? ''}`),
  });
  pass('getfd', '{"fdname":"a"}', '{}');
  pass('add-fd', '{}', '{"fdset-id":3,"fd":10}');
  pass('query-status', '{}', '{}');
  const news = () => told.splice(0);
  return { fake, vm, watch, news };
}

/** The session ends, and there is another. */
function another({ fake, vm, watch }: ReturnType<typeof stage>, epoch: string): void {
  fake.change({ ready: false });
  watch.changed(vm);
  fake.change({ ready: true, epoch });
  watch.ready(vm);
}

const settled = () => new Promise(setImmediate);

it('the end of a session is told of each that was passed, once, and of sets what the VM says in the next one', async () => {
  const staged = stage();
  const { fake, vm, watch, news } = staged;
  watch.changed(vm);
  watch.ready(vm);
  expect([news(), fake.commands]).toEqual([[], []]);
  another(staged, 'e.2');
  watch.changed(vm);
  expect([news(), fake.commands]).toEqual([['getfd lost', 'add-fd unknown'], ['query-fdsets']]);
  fake.reply([]);
  await settled();
  expect(news()).toEqual(['add-fd lost']);
  another(staged, 'e.3');
  await settled();
  expect([news(), fake.commands]).toEqual([[], []]);
});

it.each([
  ['an error', (fake: FakeVm) => fake.sent.shift()?.settle({ kind: 'not-sent', cause: 'none' })],
  ['what cannot be read', (fake: FakeVm) => fake.reply('odd')],
  [
    'the answer of a session that has ended',
    (fake: FakeVm) => {
      fake.epoch = 'e.9';
      fake.reply([]);
    },
  ],
])('nothing is learned from %s; the next session is asked again', async (_, answer) => {
  const staged = stage();
  const { fake, news } = staged;
  another(staged, 'e.2');
  news();
  answer(fake);
  await settled();
  expect(news()).toEqual([]);
  fake.monitor.places = 1;
  another(staged, 'e.10');
  fake.reply([{ 'fdset-id': 3, fds: [] }]);
  await settled();
  expect(news()).toEqual(['add-fd held']);
});

it('a VM that has ended, or that has no sets to ask for, has none: that is told at once', () => {
  for (const end of [{ state: 'closed' }, { state: 'waiting', schema: undefined }]) {
    const { fake, vm, watch, news } = stage();
    Object.assign(fake, { ready: false, ...end });
    watch.changed(vm);
    expect(news()).toEqual(['getfd lost', 'add-fd lost']);
  }
});
