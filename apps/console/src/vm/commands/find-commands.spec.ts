import { expect, it } from 'vitest';
import type { CommandOfVm } from '../../forms/command-form.js';
import { CommandFinder } from './find-commands.js';

const command = (name: string, summary: string): CommandOfVm => ({
  ...{ name, summary, class: 'read', lowestClass: 'read', highestClass: 'read' },
  ...{ deprecated: false, oob: false, arguments: 'a', returns: 'b' },
});
const finder = new CommandFinder([
  command('query-block', 'List guest drives'),
  command('blockdev-add', 'Open an image as a block node'),
  command('device_add', 'Plug in a device'),
  command('block_set_io_throttle', 'Limit a drive'),
]);
const names = (text: string) => finder.find(text).commands.map(({ name }) => name);

it('finds words of names first, then of summaries', () => {
  expect(names('')).toEqual(['block_set_io_throttle', 'blockdev-add', 'device_add', 'query-block']);
  expect(names('block')).toEqual(['block_set_io_throttle', 'blockdev-add', 'query-block']);
  expect(names('device-add')).toEqual(['device_add']);
  expect(names('drive')).toEqual(['block_set_io_throttle', 'query-block']);
  expect(names('add image')).toEqual(['blockdev-add']);
});

it('shows what is near where nothing fits', () => {
  expect(finder.find('devcie_add')).toMatchObject({ isNear: true });
  expect(names('devcie_add')[0]).toBe('device_add');
  expect(names('quory-block')[0]).toBe('query-block');
  expect(finder.find('zzzzzzzz')).toEqual({ commands: [], isNear: true });
});
