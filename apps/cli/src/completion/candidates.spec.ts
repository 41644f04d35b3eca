import type { SchemaCommand } from '@qmp-gateway/client';
import { describe, expect, it } from 'vitest';
import type { ServerModel } from '../arguments/schema-model.js';
import { argumentCandidates, commandCandidates } from './candidates.js';

const command = (name: string, args: string): SchemaCommand => ({
  ...{ name, arguments: args, returns: 'q_empty', summary: null, deprecated: false, oob: false },
  ...{ class: 'read', lowestClass: 'read', highestClass: 'read' },
});
const model: ServerModel = {
  commands: [command('blockdev-add', 'Options'), command('block-stream', 'Empty'), command('device_add', 'Device')],
  types: {
    Empty: { kind: 'object', members: [] },
    Device: { kind: 'object', members: [{ name: 'driver', type: 'str', optional: false }] },
    Driver: { kind: 'enum', values: ['file', 'qcow2'] },
    Options: {
      kind: 'object',
      members: [
        { name: 'read-only', type: 'bool', optional: true },
        { name: 'driver', type: 'Driver', optional: false },
      ],
      tag: 'driver',
      variants: { qcow2: 'Qcow2', file: 'File' },
    },
    Qcow2: { kind: 'object', members: [{ name: 'file', type: 'Reference', optional: false }] },
    File: { kind: 'object', members: [{ name: 'filename', type: 'str', optional: false }] },
    Reference: { kind: 'alternate', types: ['Options', 'str'] },
  },
};
const texts = async (line: string): Promise<string[]> => {
  const [name = '', ...rest] = line.split(' ');
  const source = (): Promise<string[]> => Promise.resolve(['virtio-net-pci', 'e1000']);
  const found = await argumentCandidates(model, name, { words: rest.slice(0, -1), begun: rest.at(-1) ?? '' }, source);
  return found.map(({ text }) => text);
};

describe('what may follow', () => {
  it('is a command that begins so', () => {
    expect(commandCandidates(model, 'block').map(({ text }) => text)).toEqual(['blockdev-add', 'block-stream']);
  });

  it.each([
    ['blockdev-add ', ['driver=', 'read-only=']],
    ['blockdev-add driver=', ['driver=file', 'driver=qcow2']],
    ['blockdev-add driver=q', ['driver=qcow2']],
    ['blockdev-add read-only=', ['read-only=true', 'read-only=false']],
    ['blockdev-add driver=qcow2 ', ['file.', 'file=', 'read-only=']],
    ['blockdev-add driver=qcow2 file.', ['file.driver=', 'file.read-only=']],
    ['blockdev-add driver=qcow2 file.driver=file file.f', ['file.filename=']],
    ['blockdev-add driver=qcow2 file.driver=f', ['file.driver=file']],
    ['device_add driver=virtio', ['driver=virtio-net-pci']],
    ['nothing x', []],
  ])('%s', async (line, expected) => expect((await texts(line)).sort()).toEqual([...expected].sort()));
});
