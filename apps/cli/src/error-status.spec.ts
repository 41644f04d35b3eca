import { GatewayClosed, GatewayProblem, GatewayUnreachable } from '@qmp-gateway/client';
import { describe, expect, it } from 'vitest';
import { statusOfError, worstStatus } from './error-status.js';
import { usageFault } from './exit-status.js';
import { NotConnected } from './not-connected.js';

const problem = (code: string, outcome: 'not-sent' | 'refused' | 'unknown'): GatewayProblem =>
  new GatewayProblem({ code, outcome, status: 400, retryable: false });

describe('the exit status', () => {
  it.each([
    [problem('command-failed', 'refused'), 1],
    [problem('forbidden', 'not-sent'), 1],
    [problem('unauthenticated', 'not-sent'), 1],
    [problem('invalid-arguments', 'not-sent'), 2],
    [usageFault('what'), 2],
    [problem('vm-unavailable', 'not-sent'), 3],
    [problem('vm-not-found', 'not-sent'), 3],
    [new GatewayUnreachable('away', { cause: new NotConnected('nothing listens there') }), 3],
    [new GatewayUnreachable('something else', { status: 404 }), 3],
    [new GatewayClosed(4404, 'no such line'), 3],
    [new GatewayUnreachable('a proxy', { status: 502 }), 4],
    [new GatewayUnreachable('the connection to the gateway failed'), 4],
    [problem('deadline-exceeded', 'unknown'), 4],
    [new Error('of another kind'), 4],
  ])('of %s is %i', (error, status) => expect(statusOfError(error)).toBe(status));

  it('of many is the one to look into first', () => {
    expect(worstStatus([0, 1, 3])).toBe(3);
    expect(worstStatus([0, 4, 3, 2, 1])).toBe(4);
    expect(worstStatus([0, 0])).toBe(0);
    expect(worstStatus([])).toBe(0);
  });
});
