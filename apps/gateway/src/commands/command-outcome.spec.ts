import { Scene } from '@qmp-gateway/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { problemBody } from '../problems/problem.js';
import { problemOf } from './command-outcome.js';
import { CommandScene, principalOf } from './command.scene.js';

const scene = new Scene();
afterEach(() => scene.end());

/** What the caller of `device_add` is told when the VM answers with an error. */
function refused(argumentsJson: string | undefined, errorClass = 'GenericError') {
  const { path } = new CommandScene(scene);
  const command = path.resolve(principalOf('host'), 'web-1', 'device_add').command;
  const desc = "Bus 'pcie.0' does not support hotplugging";
  const settlement = { kind: 'error', class: errorClass, desc } as const;
  return problemBody(problemOf(settlement, 'web-1', command, { kind: 'qemu', argumentsJson }));
}

describe('an error of a command that takes more than it declares', () => {
  it('names the declared member that was perhaps meant, and leaves the words of the VM as they are', () => {
    expect(refused('{"driver":"virtio-rng-pci","id":"rng1","buss":"rp0"}')).toMatchObject({
      ...{ code: 'command-failed', suggestions: ['bus'] },
      detail: "Bus 'pcie.0' does not support hotplugging. Did you mean bus?",
      qmp: { desc: "Bus 'pcie.0' does not support hotplugging" },
    });
  });

  it.each([
    ['a property that is near to a member that was given', '{"driver":"virtio-blk-pci","drive":"d0"}'],
    ['a property that is near to none', '{"driver":"virtio-rng-pci","max-bytes":1}'],
    ['no arguments', undefined],
  ])('guesses nothing of %s', (_, argumentsJson) => {
    expect(refused(argumentsJson)).not.toHaveProperty('suggestions');
  });

  it('of a class of its own says itself what is wrong', () => {
    expect(refused('{"driver":"virtio-rng-pci","buss":"rp0"}', 'DeviceNotFound')).not.toHaveProperty('suggestions');
  });
});
