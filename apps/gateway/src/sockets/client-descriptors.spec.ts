import { ManualClock } from '@qmp-gateway/test-kit';
import { openSync } from 'node:fs';
import { Descriptor } from '@qmp-gateway/unix-fds';
import { expect, it } from 'vitest';
import { ClientDescriptors, EndOfPiece, mostOfClient, waitMs } from './client-descriptors.js';

const some = (count: number) => Array.from({ length: count }, () => new Descriptor(openSync('/dev/null', 'r')));
const isOpen = ({ isOpen: open }: Descriptor) => open;

function waiting() {
  const counts: number[] = [];
  const clock = new ManualClock();
  return { counts, clock, client: new ClientDescriptors((count) => counts.push(count), clock) };
}

it('gives them to the next command that takes some', () => {
  const { counts, client } = waiting();
  const sent = some(2);
  client.arrived(sent);
  client.passedOver();
  client.pieceEnded(new EndOfPiece(false));
  expect(client.take()).toEqual(sent);
  expect([client.take(), counts, sent.every(isOpen)]).toEqual([[], [], true]);
  for (const descriptor of sent) descriptor.close();
});

it('closes those that the next command does not take', () => {
  const { counts, client } = waiting();
  const sent = some(1);
  client.arrived(sent);
  client.pieceEnded(new EndOfPiece(false));
  expect(sent.some(isOpen)).toBe(true);
  client.passedOver();
  expect([client.take(), counts, sent.some(isOpen)]).toEqual([[], [1], false]);
});

it('closes at once those that can have come with nothing else', () => {
  const { counts, client } = waiting();
  const sent = some(1);
  client.arrived(sent);
  client.passedOver();
  client.pieceEnded(new EndOfPiece(true));
  expect([counts, sent.some(isOpen)]).toEqual([[1], false]);
});

it('keeps those that came last, and none of too many', () => {
  const { counts, client } = waiting();
  const [first, second, many] = [some(1), some(mostOfClient), some(mostOfClient + 1)];
  client.arrived(first);
  client.arrived(second);
  expect([counts, first.some(isOpen), second.every(isOpen)]).toEqual([[1], false, true]);
  client.arrived(many);
  expect([counts, second.some(isOpen), many.some(isOpen)]).toEqual([[1, mostOfClient, mostOfClient + 1], false, false]);
  client.drop();
  expect(counts).toHaveLength(3);
});

it('closes those that no command takes for long: one may be the own end of the client, which would never end then', () => {
  const { counts, clock, client } = waiting();
  const [first, second] = [some(1), some(2)];
  client.arrived(first);
  clock.advance(waitMs - 1);
  client.arrived(second);
  clock.advance(waitMs - 1);
  expect([counts, first.some(isOpen), second.every(isOpen)]).toEqual([[1], false, true]);
  clock.advance(1);
  expect([counts, second.some(isOpen), client.take()]).toEqual([[1, 2], false, []]);
  const taken = some(1);
  client.arrived(taken);
  client.take();
  clock.advance(waitMs);
  expect([counts, taken.every(isOpen)]).toEqual([[1, 2], true]);
  for (const descriptor of taken) descriptor.close();
});
