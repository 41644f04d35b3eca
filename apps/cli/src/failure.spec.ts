import { GatewayProblem, GatewayUnreachable } from '@qmp-gateway/client';
import { describe, expect, it } from 'vitest';
import { failureText } from './failure.js';
import { usageFault } from './exit-status.js';
import { NotConnected } from './not-connected.js';

const context = { program: 'qmpctl', address: 'http://gw', hasToken: true };
const base = { status: 400, outcome: 'not-sent', retryable: false } as const;

describe('a failure in one line', () => {
  it('names arguments by the keys that were typed', () => {
    const errors = [
      { pointer: '/file/filenam', message: 'is not a member', suggestions: ['filename'] },
      { pointer: '/node-name', message: 'is missing' },
    ];
    const error = new GatewayProblem({ ...base, code: 'invalid-arguments', vm: 'web-1', errors });
    const keys = new Map([['/file/filenam', 'file.filenam']]);
    expect(failureText(error, { ...context, keys })).toBe(
      'web-1: file.filenam: is not a member (did you mean filename?); node-name: is missing',
    );
  });

  it('says where to look up a property that the VM does not list', () => {
    const qmp = { class: 'GenericError', desc: 'no' };
    const error = new GatewayProblem({ ...base, code: 'command-failed', detail: 'no', vm: 'web-1', qmp });
    const unlisted = { driver: 'virtio-rng-pci', keys: ['max-byts'] };
    expect(failureText(error, context)).toBe('web-1: command-failed: no');
    expect(failureText(error, { ...context, unlisted })).toBe(
      'web-1: command-failed: no (the VM lists no max-byts: qmpctl exec web-1 device-list-properties typename=virtio-rng-pci)',
    );
  });

  it('has the hint of the gateway once', () => {
    const said = { ...base, code: 'vm-not-found', suggestions: ['web-1'] };
    expect(failureText(new GatewayProblem({ ...said, detail: 'there is no VM web-11' }), context)).toBe(
      'vm-not-found: there is no VM web-11',
    );
    expect(failureText(new GatewayProblem({ ...said, detail: 'there is no VM wbe' }), context)).toBe(
      'vm-not-found: there is no VM wbe (did you mean web-1?)',
    );
  });

  it('says how to log in, and what to do where the outcome is open', () => {
    const refused = new GatewayProblem({ ...base, code: 'unauthenticated', detail: 'no valid credentials' });
    expect(failureText(refused, { ...context, hasToken: false })).toContain(
      '(run qmpctl login URL, or set QMPGW_TOKEN)',
    );
    expect(failureText(refused, context)).toContain('expired or was revoked');
    const open = {
      ...base,
      code: 'deadline-exceeded',
      outcome: 'unknown',
      vm: 'web-1',
      detail: 'no reply within 1 s',
    } as const;
    expect(failureText(new GatewayProblem({ ...open, operation: '/v1/vms/web-1/operations/k3-1' }), context)).toBe(
      'web-1: deadline-exceeded: no reply within 1 s (it may go on: qmpctl operations web-1 k3-1)',
    );
  });

  it('tells why there is no connection', () => {
    const away = new GatewayUnreachable('failed', { cause: new NotConnected('nothing listens there') });
    expect(failureText(away, context)).toBe('http://gw cannot be reached: nothing listens there');
  });

  it('is one line, whatever others have put into it, and is called as it was called', () => {
    expect(failureText(usageFault('a\nb\u001b[31m', 'run qmpctl login'), { program: 'qmp-gateway' })).toBe(
      'a\\nb\\u001b[31m (run qmp-gateway login)',
    );
  });
});
