import { describe, expect, it } from 'vitest';
import { argumentsToSend } from './arguments-to-send.js';

describe('the arguments that are sent', () => {
  it.each([
    ['stratovirt', 'query-workloads', undefined, '{}'],
    ['stratovirt', 'query-workloads', '{ }', '{ }'],
    ['stratovirt', 'query-ohui-status', '{ }', undefined],
    ['stratovirt', 'query-ohui-status', undefined, undefined],
    // Of a release that takes some after all.
    ['stratovirt', 'query-ohui-status', '{"a":1}', '{"a":1}'],
    ['stratovirt', 'stop', '{}', '{}'],
    ['stratovirt', 'stop', undefined, undefined],
    ['qemu', 'query-workloads', undefined, undefined],
    ['qemu', 'query-status', '{}', undefined],
    ['qemu', 'of-no-catalog', '{ \r\n\t}', undefined],
    ['qemu', 'query-status', '{"a":{}}', '{"a":{}}'],
    ['storage-daemon', 'query-jobs', '{}', undefined],
    ['guest-agent', 'guest-ping', '{}', undefined],
  ] as const)('to %s for %s are, of %j, %j', (kind, command, given, sent) => {
    expect(argumentsToSend(kind, command, given)).toBe(sent);
  });
});
