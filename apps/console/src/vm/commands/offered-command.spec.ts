import type { Grant } from '@qmp-gateway/client';
import { expect, it } from 'vitest';
import type { CommandOfVm } from '../../forms/command-form.js';
import { dependsOnArguments, whyNotOffered } from './offered-command.js';

const grant = (level: Grant['level'], commands: Partial<Grant['commands']> = {}): Grant => ({
  ...{ principal: 'ops', level, vms: ['*'], commands: { allow: ['*'], deny: [], ...commands } },
});
const deviceAdd: CommandOfVm = {
  ...({ name: 'device_add', class: 'host', lowestClass: 'configure', highestClass: 'host', summary: null } as const),
  ...{ deprecated: false, oob: false, arguments: 'a', returns: 'b' },
};

it('a command is offered from the level that its most harmless arguments need', () => {
  expect(whyNotOffered(deviceAdd, grant('operate'))).toBe('It needs level configure; you have level operate.');
  expect(whyNotOffered(deviceAdd, grant('configure'))).toBeUndefined();
  expect(dependsOnArguments(deviceAdd)).toBe(true);
  expect(dependsOnArguments({ ...deviceAdd, lowestClass: 'host' })).toBe(false);
});

it('the lists of the token count too', () => {
  expect(whyNotOffered(deviceAdd, grant('host', { deny: ['dev*'] }))).toBe('Your token excludes it.');
  expect(whyNotOffered(deviceAdd, grant('host', { allow: ['query-*', 'device?add'] }))).toMatch('not among');
  expect(whyNotOffered(deviceAdd, grant('host', { allow: ['query-*', 'device*'] }))).toBeUndefined();
});

it('what the gateway does not run is offered to nobody', () => {
  const none = { ...deviceAdd, offered: false as const, reason: 'it needs a file descriptor' };
  expect(whyNotOffered(none, grant('host'))).toBe('The gateway does not run it: it needs a file descriptor.');
});
